//! What is known of what fails: the profiles that `[failures]` names.

use super::list::unknown;
use crate::error::Result;
use crate::failure::{Graded, Profile};
use crate::report::number::grouped;
use crate::report::table;

/// The profiles, or the components of one.
pub(super) fn listed(name: Option<&str>, width: u16) -> Result<String> {
    let Some(name) = name else { return Ok(all(width)) };
    match Profile::named(name) {
        Some(profile) => Ok(one(profile, width)),
        None => {
            Err(unknown("profile", name, Profile::all().iter().map(|profile| profile.name.as_str())).into())
        }
    }
}

fn all(width: u16) -> String {
    let header = ["profile", "components", "failures a\n1,000 GPU-days", "basis", "what was observed"];
    let mut table = table::new(width, header);
    for profile in Profile::all() {
        table.add_row([
            profile.name.clone(),
            profile.components.len().to_string(),
            format!("{:.3}", profile.a_gpu_day() * 1000.0),
            profile.basis().name().to_owned(),
            profile.title.clone(),
        ]);
    }
    table::right(&mut table, [1, 2]);
    table::rigid(&mut table, 0..4);
    format!(
        "{}\nbasis: of the rate that is known least; nothing is known of feeds and sites.\n\
         `gigawatt list failures NAME` shows every rate and where it comes from.\n",
        table::text(&mut table)
    )
}

fn one(profile: &Profile, width: u16) -> String {
    let mut rates =
        table::new(width, ["component", "one a", "failures\na day", "MTBF\nhours", "basis", "source"]);
    let mut repairs = table::new(width, ["component", "seen after", "repaired by"]);
    for Graded { described, basis, source } in &profile.components {
        rates.add_row([
            described.name.clone(),
            described.per.name().to_owned(),
            format!("{:.2e}", described.a_day()),
            hours(described.mean),
            basis.name().to_owned(),
            source.clone(),
        ]);
        let ways = described.repairs.iter().map(|repair| {
            let percent = f64::from(repair.share_milli) / 10.0;
            let crew = if repair.crew { ", a crew" } else { "" };
            let helps = f64::from(repair.helps_milli) / 10.0;
            let helps = if repair.helps_milli < 1000 { format!(", helps {helps} %") } else { String::new() };
            format!("{} {percent} %: {}{helps}{crew}", repair.name, repair.time)
        });
        let ways: Vec<String> = ways.collect();
        repairs.add_row([described.name.clone(), described.detection.to_string(), ways.join("\n")]);
    }
    table::right(&mut rates, [2, 3]);
    table::rigid(&mut rates, 0..5);
    table::rigid(&mut repairs, 0..2);
    format!(
        "{}: {}\n{:.3} failures a 1,000 GPU-days, with {} GPUs a node and {} a rack\n\n{}\n{}\ndetection and repairs: {}, \
         {}\n",
        profile.name,
        profile.title,
        profile.a_gpu_day() * 1000.0,
        profile.gpus_per_node,
        profile.gpus_per_rack,
        table::text(&mut rates),
        table::text(&mut repairs),
        profile.repair_basis.name(),
        profile.repair_source
    )
}

/// Seconds as whole hours.
fn hours(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
    let hours = libm::round(seconds / 3600.0) as u64;
    grouped(hours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_and_component_is_listed() {
        for width in [40, 80, 200] {
            let all = listed(None, width).unwrap();
            for profile in Profile::all() {
                assert!(all.contains(&profile.name), "{}: {all}", profile.name);
                let one = listed(Some(&profile.name), width).unwrap();
                for graded in &profile.components {
                    assert!(one.contains(&graded.described.name), "{}: {one}", graded.described.name);
                }
            }
        }
        let llama = listed(Some("h100-llama3"), 120).unwrap();
        for piece in [
            "0.474 failures a 1,000 GPU-days",
            "1.67e-4",
            "143,471",
            "measured",
            "reset 50 %: 2m00s to 10m00s",
        ] {
            assert!(llama.contains(piece), "{piece}: {llama}");
        }
        let error = listed(Some("rsc-3"), 80).unwrap_err().to_string();
        assert!(error.contains("unknown profile `rsc-3`") && error.contains("did you mean `rsc-"), "{error}");
    }
}
