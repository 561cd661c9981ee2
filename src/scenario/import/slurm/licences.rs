use super::super::draft::{Draft, Licence};
use super::super::findings::Findings;
use super::policy::Global;
use crate::error::Problem;

/// Reads `Licenses=fluent:30,ansys`: names and how many, one where nothing is said.
pub(super) fn read(global: &Global<'_, '_>, draft: &mut Draft, findings: &mut Findings) {
    let Some((line, text)) = global.get("Licenses") else { return };
    for item in text.split([',', ';']).map(str::trim).filter(|item| !item.is_empty()) {
        let (name, count) = item.rsplit_once([':', '=']).unwrap_or((item, "1"));
        match count.parse::<u32>() {
            Ok(0) => line.leave_out_item("Licenses", item, "there is none of it", findings),
            Ok(count) if draft.licences.iter().all(|known| known.name != name) => {
                draft.licences.push(Licence { name: name.to_owned(), count, from: "Licenses".to_owned() });
            }
            Ok(_) => line.leave_out_item("Licenses", item, "of two of a name the first counts", findings),
            Err(_) => {
                let told =
                    format!("`Licenses`: expected a name and a number such as `fluent:30`, found `{item}`");
                line.complain(item, Problem::new(told), findings);
            }
        }
    }
    if !draft.licences.is_empty() {
        findings
            .assume("which jobs hold licences stands in no file: `licences = { NAME = 1 }` of a job says it");
    }
}
