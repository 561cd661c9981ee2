//! Licences: how many there are, and how many a job holds.

use super::Jobs;
use crate::cluster::Licence;
use crate::document::{Document, Item, Table};
use crate::error::Problem;
use crate::history::Plan;

/// Reads `[[licence]]`.
pub(in crate::scenario) fn read(document: &Document, root: &mut Table<'_>) -> Vec<Licence> {
    let mut licences: Vec<Licence> = Vec::new();
    for mut table in root.tables("licence") {
        let (name, count) = (table.required::<String>("name"), table.required::<u32>("count"));
        table.finish();
        let (Some(name), Some(count)) = (name, count) else { continue };
        if count.value == 0 {
            document.complain(count.mark, Problem::new("`count`: expected at least 1, found `0`"));
        }
        if licences.iter().any(|known| known.name == name.value) {
            let problem = Problem::new(format!("licence `{}` is described twice", name.value));
            document.complain(name.mark, problem);
        }
        licences.push(Licence { name: name.value, count: count.value });
    }
    licences
}

/// Reads `licences` of a job, such as `{ solver = 2 }`; none if something is wrong.
pub(super) fn of_job(jobs: &Jobs<'_>, document: &Document, item: Item<'_>) -> Option<Vec<(u32, u32)>> {
    let known = jobs.cluster.map(|cluster| &cluster.licences[..]);
    let mut asked = Some(Vec::new());
    for (name, item) in item.table()?.entries() {
        let count = item.read::<u32>();
        let Some(known) = known else { continue };
        let found = (0..).zip(known).find(|(_, own)| own.name == name.value).map(|(index, _)| index);
        if found.is_none() {
            let problem = Problem::new(format!("unknown licence `{}`", name.value));
            let names = known.iter().map(|own| own.name.as_str());
            document.complain(
                name.mark,
                if known.is_empty() {
                    problem.hint("`[[licence]]` says what there is, with `name` and `count`")
                } else {
                    problem.hint_nearest(&name, names)
                },
            );
        }
        if let Some(count) = count.as_ref().filter(|count| count.value == 0) {
            let problem = Problem::new(format!("`{}`: expected at least 1, found `0`", name.value));
            document.complain(count.mark, problem);
        }
        let one = found.zip(count.map(|count| count.value).filter(|count| *count > 0));
        asked = asked.zip(one).map(|(mut asked, one)| {
            asked.push(one);
            asked
        });
    }
    asked.map(|mut asked| {
        asked.sort_unstable();
        asked
    })
}

/// What to say of licences that no job holds.
pub(in crate::scenario) fn idle(plan: &Plan) -> impl Iterator<Item = String> {
    let is_held = |index: u32| {
        let mut held = plan.workload.requests.iter().flat_map(|request| &request.licences);
        held.any(|(own, _)| *own == index)
    };
    let idle = (0..).zip(&plan.cluster.licences).filter(move |(index, _)| !is_held(*index));
    idle.map(|(_, own)| {
        format!("no job asks for licence `{}`: `licences = {{ {} = 1 }}` of a job does", own.name, own.name)
    })
}
