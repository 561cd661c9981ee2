use super::Exit;
use super::arguments::{List, Listing};

use super::terminal::Terminal;
use crate::error::{Problem, Result};
use crate::hardware::{Catalogue, Family, Platform};
use crate::report::table;
use crate::trace;

/// Prints a table of what can be named.
pub(super) fn run(arguments: &List, terminal: Terminal) -> Result<Exit> {
    let name = arguments.name.as_deref();
    let text = match arguments.what {
        Listing::Formats => formats(name, terminal.width)?,
        Listing::Platforms => platforms(name, terminal.width)?,
    };
    terminal.print(&text)?;
    Ok(Exit::Done)
}

/// An item of some kind that is not there.
fn unknown<'a>(kind: &str, given: &str, known: impl IntoIterator<Item = &'a str>) -> Problem {
    Problem::new(format!("unknown {kind} `{given}`")).hint_nearest(given, known)
}

fn formats(name: Option<&str>, width: u16) -> Result<String> {
    let names = trace::FORMATS.iter().map(|format| format.name);
    if let Some(name) = name.filter(|name| !names.clone().any(|known| known == *name)) {
        return Err(unknown("format", name, names).into());
    }
    let mut table = table::new(width, ["format", "what it is"]);
    for format in trace::FORMATS.iter().filter(|format| name.is_none_or(|name| format.name == name)) {
        table.add_row([format.name, format.about]);
    }
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
        "{}\ntrain, decode: speed at training dense models and at writing answers, in H100s.\n\
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
    format!("{title}\n{about}\n\n{numbers}\n{sources}")
}

/// As few decimals as say it: `700`, `1.5`, `0.25`.
fn digits(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
