//! Where a run comes from, what its numbers rest on, and what its words mean.

use super::tables::table;
use super::text::escaped;
use super::{View, label_of};
use crate::hardware::{Basis, Catalogue};
use crate::report::run::further::quoted;
use crate::report::run::{LABELS, Label};

/// Inputs, command and settings; then the evidence of each platform.
pub(super) fn provenance(views: &[View<'_>], view: &View<'_>) -> String {
    let (provenance, settings) = (view.provenance, &view.history.plan.settings);
    let code = |text: &str| format!("<code>{}</code>", escaped(text));
    let words: Vec<String> = provenance.options.iter().map(|word| quoted(word)).collect();
    let mut rows = vec![
        vec!["Command".to_owned(), code(&format!("gigawatt {}", words.join(" ")))],
        vec!["Version".to_owned(), escaped(&settings.version)],
        vec!["Policy".to_owned(), code(&settings.policy())],
        vec!["Seed".to_owned(), settings.seed.to_string()],
        vec!["History, BLAKE3".to_owned(), code(&view.digest.to_string())],
    ];
    if !provenance.device.is_empty() {
        rows.push(vec!["Placements evaluated by".to_owned(), escaped(&provenance.device)]);
    }
    for input in &provenance.inputs {
        let digest = code(&input.digest);
        rows.push(vec![format!("Input {}", code(&input.path)), format!("BLAKE3 {digest}")]);
    }
    let whose = label_of(views, view);
    table(&format!("{whose}What repeats the run"), 2, &["What", "Value"], &rows) + &evidence(&whose, view)
}

/// What a basis means.
const fn told(basis: Basis) -> &'static str {
    match basis {
        Basis::Measured => "measured",
        Basis::Vendor => "stated by the vendor",
        Basis::Press => "reported by the press",
        Basis::Inferred => "inferred",
        Basis::Defined => "defined",
    }
}

/// How many numbers of each platform were measured, stated, reported or worked out.
fn evidence(whose: &str, view: &View<'_>) -> String {
    let catalogue = Catalogue::embedded();
    let mut names: Vec<&str> =
        view.history.plan.cluster.kinds.iter().map(|kind| kind.platform_name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let row = |name: &&str| {
        let Some(platform) = catalogue.get(name) else {
            return vec![escaped(name), "not in the catalogue: as the scenario says".to_owned()];
        };
        let count = |basis: Basis| platform.rows().filter(|row| row.fact.basis == basis).count();
        let counts = Basis::ALL.map(|basis| (basis, count(basis)));
        let counts = counts.iter().filter(|(_, count)| *count > 0);
        let told: Vec<String> = counts.map(|(basis, count)| format!("{count} {}", told(*basis))).collect();
        let command = format!("<code>gigawatt list platforms {}</code>", escaped(name));
        vec![escaped(name), format!("{} ({command})", told.join(", "))]
    };
    let rows: Vec<Vec<String>> = names.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let caption = format!(
        "{whose}What the numbers of each platform rest on, as the catalogue of this version has them"
    );
    table(&caption, 2, &["Platform", "Evidence"], &rows)
}

/// What the words mean that the page and the printed summary show.
pub(super) fn words() -> String {
    let row = |label: &Label| {
        let about = format!("<span class=\"about\">{}</span>", escaped(label.about));
        vec![escaped(label.name), about]
    };
    let rows: Vec<Vec<String>> = LABELS.iter().map(row).collect();
    table("What the words mean", 2, &["Word", "Meaning"], &rows)
}
