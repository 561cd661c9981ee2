//! `[failures]`: what fails, how soon that is seen, and how it comes back.

use super::cluster::unknown;
use super::files::Files;
use super::spares;
use crate::cluster::Cluster;
use crate::document::{Document, Item, Mark, Placed, Table};
use crate::error::Problem;
use crate::failure::{
    Component, Described, Exposure, Failures, Lemons, Per, Profile, Retirement, Share, mark_in_repairs,
};
use crate::hardware::Catalogue;
use crate::units::Seconds;

const EXPOSURES: [(&str, Exposure); 2] = [("always", Exposure::Always), ("computing", Exposure::Computing)];
/// By how much all rates may be multiplied.
const SCALES: std::ops::RangeInclusive<f64> = 0.01..=100.0;

/// A component and the kinds of nodes that have it.
struct Drafted {
    name: String,
    described: Described,
    /// None: all.
    kinds: Option<Vec<u32>>,
    mark: Mark,
}

/// Reads `[failures]` into the cluster, if there is one.
pub(super) fn read(
    document: &Document,
    root: &mut Table<'_>,
    catalogue: &Catalogue,
    cluster: Option<&mut Cluster>,
    files: &mut Files,
) {
    let Some(mut table) = root.table("failures") else { return };
    let wrong = document.problems().total();
    let places = Places { document, catalogue, cluster: cluster.as_deref() };
    let mut drafts = profiles(&places, &mut table, &mut files.notes);
    components(&places, &mut table, &mut drafts);
    let scale = scale(document, &mut table);
    let exposure = table.choice("exposure", &EXPOSURES);
    let crews = positive(document, &mut table, "crews");
    let lemons = table.table("lemons").and_then(|table| lemons_of(document, table));
    let retirement = table.table("retire").and_then(|table| retirement(document, table));
    let pools = table.item("spares").map(|item| spares::read(document, item, cluster.as_deref()));
    let mark = table.mark();
    let marks = |key| table.key_mark(key);
    let rules = Rules { drafts: &drafts, exposure: exposure.map(|exposure| exposure.value) };
    for (key, problem) in rules.idle() {
        if let Some(mark) = marks(key) {
            document.complain(mark, problem);
        }
    }
    if drafts.is_empty() && !table.has("profile") && !table.has("component") {
        let problem = Problem::new("`[failures]` without `profile` and `component`: nothing fails");
        document.complain(mark, problem.hint("`gigawatt list failures` shows the profiles"));
    }
    table.finish();
    let Some(cluster) = cluster.filter(|_| document.problems().total() == wrong) else { return };
    files.notes.extend(lone_racks(cluster, &drafts));
    let components: Vec<Component> = drafts
        .into_iter()
        .filter_map(|draft| {
            let component = draft.described.component(draft.name, draft.kinds.unwrap_or_default(), scale);
            if component.is_none() {
                let problem = Problem::new("with `scale`, a part of it lasts less than a second");
                document.complain(draft.mark, problem);
            }
            component
        })
        .collect();
    let exposure = exposure.map_or(Exposure::default(), |exposure| exposure.value);
    let spares = pools.unwrap_or_default();
    let rest = Failures::default();
    let failures = Failures { components, exposure, crews, lemons, retirement, spares, ..rest };
    cluster.failures = Some(Box::new(failures));
}

/// What platforms are known, and which are there.
struct Places<'a> {
    document: &'a Document,
    catalogue: &'a Catalogue,
    /// None if it is wrong: then any may be there.
    cluster: Option<&'a Cluster>,
}

impl Places<'_> {
    /// The kinds of nodes of the platforms that a table names; none where it names none.
    fn kinds(&self, table: &mut Table<'_>) -> Option<Vec<u32>> {
        let mark = table.key_mark("platforms");
        let names = table.list::<String>("platforms");
        let mark = mark?;
        if names.is_empty() {
            let problem = Problem::new("expected at least one platform").hint("without `platforms`: any");
            self.document.complain(mark, problem);
        }
        let mut kinds: Vec<u32> = names.iter().flat_map(|name| self.kinds_of(name)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Some(kinds)
    }
    fn kinds_of(&self, name: &Placed<String>) -> Vec<u32> {
        if self.catalogue.index_of(name).is_none() {
            unknown(self.document, "platform", name, self.catalogue.names());
            return Vec::new();
        }
        let Some(cluster) = self.cluster else { return Vec::new() };
        let kinds = (0..).zip(&cluster.kinds).filter(|(_, kind)| kind.platform_name == name.value);
        let kinds: Vec<u32> = kinds.map(|(index, _)| index).collect();
        if kinds.is_empty() {
            let here: Vec<&str> = cluster.kinds.iter().map(|kind| kind.platform_name.as_str()).collect();
            let problem = Problem::new(format!("the cluster has no `{}`", name.value));
            self.document.complain(name.mark, problem.hint(format!("it has {}", here.join(", "))));
        }
        kinds
    }
    /// Whether some node of these kinds has a part of it.
    fn is_there(&self, per: Per, kinds: Option<&[u32]>) -> bool {
        let Some(cluster) = self.cluster.filter(|_| per == Per::Gpu) else { return true };
        let is_one = |index: u32| kinds.is_none_or(|kinds| kinds.is_empty() || kinds.contains(&index));
        (0..).zip(&cluster.kinds).any(|(index, kind)| kind.gpus > 0 && is_one(index))
    }
}

/// The components of the profiles that `profile` names: a name, or a list of names and of
/// `{ name = "rsc-1", platforms = ["a100"] }`.
fn profiles(places: &Places<'_>, table: &mut Table<'_>, notes: &mut Vec<String>) -> Vec<Drafted> {
    let Some(item) = table.item("profile") else { return Vec::new() };
    let mark = item.mark();
    let items = if item.is_list() { item.items().unwrap_or_default() } else { vec![item] };
    if items.is_empty() {
        let problem = Problem::new("`profile`: expected at least one name");
        places.document.complain(mark, problem.hint("`gigawatt list failures` shows them"));
    }
    let several = items.len() > 1;
    let mut drafts: Vec<Drafted> = Vec::new();
    let mut seen: Vec<(&str, Option<Vec<u32>>)> = Vec::new();
    for item in items {
        let mark = item.mark();
        let Some((profile, kinds)) = profile(places, item) else { continue };
        let shares = |other: &Option<Vec<u32>>| match (other, &kinds) {
            (Some(other), Some(own)) => other.iter().any(|kind| own.contains(kind)),
            _ => true,
        };
        if seen.iter().any(|(name, _)| *name == profile.name) {
            let problem = Problem::new(format!("profile `{}` is named twice", profile.name));
            places.document.complain(mark, problem.hint("one entry may name several `platforms`"));
            continue;
        }
        for (other, _) in seen.iter().filter(|(_, kinds)| shares(kinds)) {
            notes.push(format!(
                "profiles `{other}` and `{}` concern the same nodes: their failures add up",
                profile.name
            ));
        }
        drafts.extend(of_profile(profile, kinds.as_deref(), several, mark, notes));
        seen.push((&profile.name, kinds));
    }
    drafts
}

fn profile<'p>(places: &Places<'_>, item: Item<'_>) -> Option<(&'p Profile, Option<Vec<u32>>)> {
    let names = || Profile::all().iter().map(|profile| profile.name.as_str());
    let (name, kinds) = if item.is_table() {
        let mut table = item.table()?;
        let (name, kinds) = (table.required::<String>("name"), places.kinds(&mut table));
        table.finish();
        (name?, kinds)
    } else {
        (item.name(names())?, None)
    };
    let found = Profile::named(&name);
    if found.is_none() {
        let problem = Problem::new(format!("unknown profile `{}`", name.value));
        places.document.complain(name.mark, problem.hint_nearest(&name, names()));
    }
    Some((found?, kinds))
}

/// The components of one profile; of several their names begin with its own.
fn of_profile(
    profile: &Profile,
    kinds: Option<&[u32]>,
    several: bool,
    mark: Mark,
    notes: &mut Vec<String>,
) -> Vec<Drafted> {
    let drafted = profile.components.iter().map(|graded| {
        let described = graded.described.clone();
        let name =
            if several { format!("{}/{}", profile.name, described.name) } else { described.name.clone() };
        let is_of_nodes = matches!(described.per, Per::Gpu | Per::Node | Per::Rack);
        if kinds.is_some() && !is_of_nodes {
            notes.push(format!(
                "`{name}` comes with jobs wherever they run: `platforms` of profile `{}` says nothing of it",
                profile.name
            ));
        }
        Drafted { name, described, kinds: kinds.filter(|_| is_of_nodes).map(<[u32]>::to_vec), mark }
    });
    drafted.collect()
}

/// Reads `[[failures.component]]`: each beside those of the profiles, or in place of the one of its name.
fn components(places: &Places<'_>, table: &mut Table<'_>, drafts: &mut Vec<Drafted>) {
    let mut own: Vec<String> = Vec::new();
    let has_lemons = table.has("lemons");
    for mut table in table.tables("component") {
        // One of several profiles is named by both names.
        let described = Described::read(&mut table);
        let helps = mark_in_repairs(&table, "helps").filter(|_| !has_lemons);
        let (mark, platforms) = (table.mark(), table.key_mark("platforms"));
        let kinds = places.kinds(&mut table);
        table.finish();
        if let Some(mark) = helps {
            let problem =
                Problem::new("`helps` says which repairs make good nodes of lemons, and there are none");
            places
                .document
                .complain(mark, problem.hint("`lemons = { share = 0.15, factor = 6 }` of `[failures]`"));
        }
        let Some(described) = described else { continue };
        if let Some(mark) = platforms.filter(|_| !matches!(described.per, Per::Gpu | Per::Node | Per::Rack)) {
            let message = format!("`platforms` beside `per = \"{}\"`, which has none", described.per.name());
            places
                .document
                .complain(mark, Problem::new(message).hint("GPUs, nodes and racks are of a platform"));
        }
        if !places.is_there(described.per, kinds.as_deref()) {
            let problem = Problem::new(format!("no node that has `{}` has a GPU", described.name));
            places.document.complain(mark, problem.hint("`per = \"node\"` is one a node"));
        }
        if own.contains(&described.name) {
            let problem = Problem::new(format!("component `{}` is described twice", described.name));
            places.document.complain(mark, problem);
        }
        own.push(described.name.clone());
        let draft = Drafted { name: described.name.clone(), described, kinds, mark };
        match drafts.iter_mut().find(|known| known.name == draft.name) {
            Some(known) => *known = draft,
            None => drafts.push(draft),
        }
    }
}

fn scale(document: &Document, table: &mut Table<'_>) -> f64 {
    let Some(scale) = table.optional::<f64>("scale") else { return 1.0 };
    if !SCALES.contains(&scale.value) {
        let (least, most) = (SCALES.start(), SCALES.end());
        let problem = format!("`scale`: expected a number from {least} to {most}, found `{}`", scale.value);
        document.complain(scale.mark, Problem::new(problem).hint("all rates are multiplied by it"));
    }
    scale.value
}

/// A number that is at least 1.
fn positive(document: &Document, table: &mut Table<'_>, key: &'static str) -> Option<u32> {
    let number = table.optional::<u32>(key)?;
    if number.value == 0 {
        document.complain(number.mark, Problem::new(format!("`{key}`: expected at least 1, found `0`")));
    }
    Some(number.value)
}

fn lemons_of(document: &Document, mut table: Table<'_>) -> Option<Lemons> {
    let (share, factor) = (table.required::<Share>("share"), table.required::<f64>("factor"));
    table.finish();
    let (share, factor) = (share?, factor?);
    let most = f64::from(Failures::FACTOR_MAX_MILLI) / 1000.0;
    if !(1.0..=most).contains(&factor.value) {
        let problem = format!("`factor`: expected a number from 1 to {most}, found `{}`", factor.value);
        let hint = "how many times as fast parts of such nodes age";
        document.complain(factor.mark, Problem::new(problem).hint(hint));
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    let factor_milli = libm::round(factor.value * 1000.0) as u32;
    Some(Lemons { share_milli: share.value.0, factor_milli })
}

fn retirement(document: &Document, mut table: Table<'_>) -> Option<Retirement> {
    if !table.has("failures") {
        table.complain(
            Problem::new("missing `failures`").hint("such as `{ failures = 5, within = \"30d\" }`"),
        );
    }
    let failures = positive(document, &mut table, "failures");
    let within = table.required::<Seconds>("within");
    table.finish();
    Some(Retirement { failures: failures?, within: within?.value })
}

/// What is said of components that are there.
struct Rules<'a> {
    drafts: &'a [Drafted],
    exposure: Option<Exposure>,
}

impl Rules<'_> {
    /// Options that do nothing to these components: key, and what to say of it.
    fn idle(&self) -> Vec<(&'static str, Problem)> {
        let of_nodes = |draft: &Drafted| matches!(draft.described.per, Per::Gpu | Per::Node);
        let is_crewed = |draft: &Drafted| draft.described.repairs.iter().any(|repair| repair.crew);
        // Without any component something else was said.
        if self.drafts.is_empty() {
            return Vec::new();
        }
        let mut idle = Vec::new();
        if !self.drafts.iter().any(of_nodes) {
            let hint = "`per = \"gpu\"` or `per = \"node\"` of a component";
            let told = |what: &str| Problem::new(format!("{what}, and no component is of nodes")).hint(hint);
            idle.push(("lemons", told("`lemons` are nodes whose parts fail more often")));
            idle.push(("retire", told("`retire` counts failures of the parts of nodes")));
            if self.exposure == Some(Exposure::Computing) {
                idle.push(("exposure", told("`exposure = \"computing\"` concerns the parts of nodes")));
            }
        }
        if !self.drafts.iter().any(is_crewed) {
            let problem =
                Problem::new("`crews` do repairs that need people, and no repair of a component does");
            idle.push(("crews", problem.hint("`crew = true` of a repair says that it does")));
        }
        idle
    }
}

/// What to say of racks that are single nodes.
fn lone_racks(cluster: &Cluster, drafts: &[Drafted]) -> Option<String> {
    let is_lone = cluster.racks.iter().all(|rack| rack.nodes == 1) && cluster.nodes() > 1;
    let of_racks = drafts.iter().filter(|draft| draft.described.per == Per::Rack);
    let names: Vec<String> = of_racks.filter(|_| is_lone).map(|draft| format!("`{}`", draft.name)).collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!("every node is a rack of its own here, and so has {names}: `[[cluster.rack]]` says which share one")
    })
}
