use super::arguments::{List, Listing};
use super::{Exit, conformance, device, failures};

use super::terminal::Terminal;
use crate::cost::TERMS;
use crate::ensemble::{MEASURES, Measure};
use crate::error::{Problem, Result};
use crate::hardware::{Basis, Catalogue, Family, Phase, Phases, Platform};
use crate::policy::PRESETS;
use crate::policy::order::expression;
use crate::policy::part::{self, Kind, Part};
use crate::policy::placement::{ListedPlacement, PLACEMENTS};
use crate::report::run::{EXPORTERS, LABELS, TABLES};
use crate::report::table;
use crate::scenario::import::SYSTEMS;
use crate::table::Head;
use crate::trace;
use std::collections::BTreeSet;

/// Prints a table of what can be named.
pub(super) fn run(arguments: &List, terminal: Terminal) -> Result<Exit> {
    let name = arguments.name.as_deref();
    let text = match arguments.what {
        Listing::Policies => policies(name, terminal.width)?,
        Listing::Formats => formats(name, terminal.width)?,
        Listing::Platforms => platforms(name, terminal.width)?,
        Listing::Failures => failures::listed(name, terminal.width)?,
        Listing::Exporters => exporters(name, terminal.width)?,
        Listing::Devices => device::listed(name, terminal.width)?,
        Listing::Columns => columns(name, terminal.width)?,
        Listing::Measures => measures(name, terminal.width)?,
        Listing::Conformance => conformance::listed(name, terminal.width)?,
    };
    terminal.print_text(&text)?;
    Ok(Exit::Done)
}

/// An item of some kind that is not there.
pub(super) fn unknown<'a>(kind: &str, given: &str, known: impl IntoIterator<Item = &'a str>) -> Problem {
    Problem::new(format!("unknown {kind} `{given}`")).hint_nearest(given, known)
}

fn policies(name: Option<&str>, width: u16) -> Result<String> {
    let options = part::options().into_iter().map(|option| option.name);
    let presets = PRESETS.iter().map(|preset| preset.name);
    let known: Vec<&str> = presets
        .chain(part::parts().map(|part| part.name))
        .chain(options)
        .chain(TERMS.iter().map(|term| term.name))
        .collect();
    if let Some(name) = name.filter(|name| !known.contains(name)) {
        // Parts of several kinds are called `none`.
        let mut seen = BTreeSet::new();
        return Err(unknown("policy", name, known.into_iter().filter(|known| seen.insert(*known))).into());
    }
    let shown = |candidate: &str| name.is_none_or(|name| name == candidate);
    let mut tables = Vec::new();
    let mut table = table::new(width, ["preset", "what it sets, all else staying as it is: what it does"]);
    for preset in PRESETS.iter().filter(|preset| shown(preset.name)) {
        let mut told = format!("{}: {}", preset.parts(), preset.about);
        if let Some(system) = preset.system {
            told.push_str(&format!("\nleaves out: {}\n[{}]", system.leaves_out, system.source));
        }
        table.add_row([preset.name.to_owned(), told]);
    }
    tables.push(table);
    for kind in Kind::ALL {
        let mut table = table::new(width, [kind.name(), kind.about()]);
        let has = |part: &Part| part.options.iter().any(|option| shown(option.name));
        for part in kind.parts().filter(|part| shown(part.name) || has(part)) {
            table.add_row([part.name.to_owned(), about(&part)]);
        }
        tables.push(table);
    }
    let mut table = table::new(
        width,
        [
            "weight",
            "term of a placement's cost, each 0 to 65535; in its expression numbers multiply terms, and they add up: \
             `2 * leftover + energy`",
        ],
    );
    // Who asks for expressions asks for all that may stand in one.
    for term in TERMS.iter().filter(|term| shown(term.name) || name == Some(expression::NAME)) {
        table.add_row([term.name, term.about]);
    }
    tables.push(table);
    let texts = tables.into_iter().filter(|table| table.row_count() > 0).map(|mut table| {
        table::rigid(&mut table, [0]);
        table::text(&mut table)
    });
    Ok(texts.collect::<Vec<_>>().join("\n"))
}

/// What a part does, its options with unit, default and meaning, and where it comes from.
fn about(part: &Part) -> String {
    let mut lines = vec![part.about.to_owned()];
    let placement = PLACEMENTS.iter().find(|entry| part.kind == Kind::Placement && entry.name == part.name);
    lines.extend(placement.and_then(ListedPlacement::weights).map(|weights| format!("weights: {weights}")));
    if part.kind == Kind::Order && part.name == expression::NAME {
        lines.push("what may stand in it:".to_owned());
        let terms = expression::TERMS.iter();
        lines.extend(terms.map(|term| format!("- {} ({}): {}", term.name, term.unit, term.about)));
        lines.push(
            "- numbers, + - * / **, ( ), and sqrt(a), log2(a), log10(a), min(a, b), max(a, b)".to_owned(),
        );
        lines.push("a job of which it comes to no number goes last".to_owned());
    }
    for option in part.options {
        lines.push(format!("{}={} ({}): {}", option.name, option.default, option.unit, option.about));
    }
    lines.push(format!("[{}]", part.source));
    lines.join("\n")
}

fn formats(name: Option<&str>, width: u16) -> Result<String> {
    let jobs = trace::FORMATS.iter().map(|format| [format.name, format.about]);
    let requests = trace::REQUEST_FORMATS.iter().map(|format| [format.name, format.about]);
    let configurations = SYSTEMS.iter().map(|system| [system.name, system.about]);
    simple("format", ["format", "what it is"], jobs.chain(requests).chain(configurations), name, width)
}

fn exporters(name: Option<&str>, width: u16) -> Result<String> {
    let rows = EXPORTERS.iter().map(|exporter| [exporter.name, exporter.file, exporter.about]);
    simple("exporter", ["exporter", "file", "what is in it"], rows, name, width)
}

/// The columns of every table, of one, or those of a name.
fn columns(name: Option<&str>, width: u16) -> Result<String> {
    let header = ["column", "kind", "unit", "since", "what it says"];
    let mut texts = Vec::new();
    for table in TABLES {
        let is_shown = |head: &Head<'_>| name.is_none_or(|name| name == table.name || name == head.name);
        let mut rows = table::new(width, header);
        for head in (table.heads)().iter().filter(|head| is_shown(head)) {
            rows.add_row([head.name, head.kind.name(), head.unit, head.since, head.about]);
        }
        if !rows.is_empty() {
            table::rigid(&mut rows, 0..4);
            texts.push(format!("{}: {}\n\n{}", table.name, table.about, table::text(&mut rows)));
        }
    }
    let mut words = table::new(width, ["word", "what it says"]);
    for label in LABELS.iter().filter(|label| name.is_none_or(|name| ["summary", label.name].contains(&name)))
    {
        words.add_row([label.name, label.about]);
    }
    if !words.is_empty() {
        table::rigid(&mut words, [0]);
        texts.push(format!(
            "summary: what the words mean that simulate prints\n\n{}",
            table::text(&mut words)
        ));
    }
    if let Some(name) = name.filter(|_| texts.is_empty()) {
        let heads: Vec<Head<'_>> = TABLES.iter().flat_map(|table| (table.heads)()).collect();
        let names = heads.iter().map(|head| head.name).chain(LABELS.iter().map(|label| label.name));
        let names = TABLES.iter().map(|table| table.name).chain(["summary"]).chain(names);
        return Err(unknown("column", name, names).into());
    }
    Ok(texts.join("\n"))
}

fn measures(name: Option<&str>, width: u16) -> Result<String> {
    let row = |measure: &'static Measure| {
        [measure.word(), measure.key, measure.unit.name(), measure.better.name(), measure.about]
    };
    let header = ["measure", "column", "unit", "better", "what it is"];
    simple("measure", header, MEASURES.iter().map(row), name, width)
}

/// A table whose first column names things of some kind: all of them, or the one asked for.
fn simple<const N: usize>(
    kind: &str,
    header: [&str; N],
    rows: impl Iterator<Item = [&'static str; N]> + Clone,
    name: Option<&str>,
    width: u16,
) -> Result<String> {
    let mut table = table::new(width, header);
    for row in rows.clone().filter(|row| name.is_none_or(|name| row[0] == name)) {
        table.add_row(row);
    }
    if let Some(name) = name.filter(|_| table.is_empty()) {
        return Err(unknown(kind, name, rows.map(|row| row[0])).into());
    }
    table::rigid(&mut table, 0..N - 1);
    Ok(table::text(&mut table))
}

fn platforms(name: Option<&str>, width: u16) -> Result<String> {
    let catalogue = Catalogue::embedded();
    match name {
        None => Ok(all_platforms(&catalogue, width)),
        Some(name) => match catalogue.get(name) {
            Some(platform) => Ok(one_platform(platform, width)),
            None => Err(unknown("platform", name, catalogue.names()).into()),
        },
    }
}

fn all_platforms(catalogue: &Catalogue, width: u16) -> String {
    let header = [
        "platform",
        "GPUs of\na node",
        "nodes of\na rack",
        "memory\nGB",
        "BF16\nTFLOPS",
        "TGP\nW",
        "rack\nkW",
        "train",
        "decode",
    ];
    let mut table = table::new(width, header);
    for platform in catalogue.platforms() {
        let fact = |key: &str, unit: f64| match platform.fact(key) {
            Some(fact) if fact.basis == Basis::Inferred => format!("~{}", digits(fact.value / unit)),
            Some(fact) => digits(fact.value / unit),
            None => String::new(),
        };
        table.add_row([
            platform.name.clone(),
            platform.gpus_per_node().to_string(),
            platform.nodes_per_rack().to_string(),
            fact("gpu_memory", 1.0),
            fact("dense_bf16", 1.0),
            fact("tgp", 1.0),
            fact("rack_tdp", 1000.0),
            format!("{:.1}", platform.speed(Family::DenseTraining).as_f64()),
            format!("{:.1}", platform.speed(Family::Decode).as_f64()),
        ]);
    }
    table::right(&mut table, 1..9);
    table::rigid(&mut table, 0..9);
    format!(
        "{}\n~ inferred. train, decode: speed at training dense models and at writing answers, in H100s.\n\
         `gigawatt list platforms NAME` shows every number and where it comes from.\n",
        table::text(&mut table)
    )
}

fn one_platform(platform: &Platform, width: u16) -> String {
    let mut table = table::new(width, ["number", "value", "unit", "basis", "from", "meaning"]);
    let mut sources: Vec<&str> = Vec::new();
    for row in platform.rows() {
        let source = row.fact.source.as_str();
        let known = sources.iter().position(|known| *known == source);
        let index = known.unwrap_or_else(|| {
            sources.push(source);
            sources.len() - 1
        });
        table.add_row([
            row.field.key.to_owned(),
            digits(row.fact.value),
            row.field.unit.to_owned(),
            row.fact.basis.name().to_owned(),
            format!("[{}]", index + 1),
            row.field.about.to_owned(),
        ]);
    }
    table::right(&mut table, [1, 4]);
    table::rigid(&mut table, 0..5);
    let mut references = table::new(width, ["from", "source"]);
    for (index, source) in sources.iter().enumerate() {
        references.add_row([format!("[{}]", index + 1), (*source).to_owned()]);
    }
    table::right(&mut references, [0]);
    table::rigid(&mut references, [0]);
    let title = format!("{}: {}", platform.name, platform.title);
    let about = format!("GPU {}, CPU {}", platform.generation, platform.cpu);
    let (numbers, sources) = (table::text(&mut table), table::text(&mut references));
    format!("{title}\n{about}\n\n{numbers}\n{sources}\n{}", phases(platform, width))
}

/// What a GPU of the platform draws phase by phase, and under which cap it keeps how much of its speed.
fn phases(platform: &Platform, width: u16) -> String {
    let mut table = table::new(width, ["phase", "x TGP", "basis", "source"]);
    for (phase, (usual, level)) in
        Phase::ALL.into_iter().zip(Phases::embedded().levels.iter().zip(platform.levels()))
    {
        let fact = platform.fact(&format!("draw_{}", phase.name())).unwrap_or(usual);
        let name = phase.name().to_owned();
        table.add_row([name, digits(level.as_f64()), fact.basis.name().to_owned(), fact.source.clone()]);
    }
    for (name, curve) in ["compute", "memory"].iter().zip(&Phases::embedded().curves) {
        let points = curve.value.points.iter().rev();
        let points =
            points.map(|(cap, speed)| format!("{} {}", digits(cap.as_f64()), digits(speed.as_f64())));
        let text = format!("cap and speed: {}; {}", points.collect::<Vec<_>>().join(", "), curve.source);
        table.add_row([format!("cap, {name}"), String::new(), curve.basis.name().to_owned(), text]);
    }
    table::right(&mut table, [1]);
    table::rigid(&mut table, 0..3);
    table::text(&mut table)
}

/// As few decimals as say it: `700`, `1.5`, `0.25`.
fn digits(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
