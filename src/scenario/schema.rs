//! JSON Schema of the files that are read. It is made by reading: of texts that have every key, the reader notes what it
//! asks for, so that no list of keys stands beside it.

use super::files::Files;
use super::jobs::Jobs;
use super::{Overrides, read};
use crate::document::{Document, Shape};
use crate::hardware::{Catalogue, FIELDS};
use crate::history::Settings;
use crate::policy::part::WeightsRead;
use serde_json::Value;
use std::path::Path;

/// A file with a schema.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// What it is called.
    pub name: &'static str,
    /// What a file of the kind is.
    pub about: &'static str,
    shape: fn() -> Shape,
}

/// Every file with a schema.
pub const SCHEMAS: &[Schema] = &[
    Schema { name: "scenario", about: "a scenario of gigawatt", shape: scenario },
    Schema { name: "graph", about: "job graphs of gigawatt", shape: graph },
    Schema { name: "platform", about: "platforms of gigawatt", shape: platform },
];

impl Schema {
    /// The schema (JSON Schema, draft 2020-12).
    ///
    /// ```
    /// use gigawatt::scenario::SCHEMAS;
    /// let schema = SCHEMAS[0].json();
    /// assert_eq!(schema["properties"]["run"]["properties"]["seed"]["type"], "integer");
    /// ```
    #[must_use]
    pub fn json(&self) -> Value {
        self.shape().schema(self.about)
    }
    /// What the reader of such files asks for.
    #[must_use]
    pub fn shape(&self) -> Shape {
        (self.shape)()
    }
}

/// Scenarios key by key, as a user reads of them.
const PAGE: &str = include_str!("../../workloads/README.md");
/// Other ways to write what stands there.
const OTHERS: &str = include_str!("every-key.toml");
const GRAPHS: &str = include_str!("../../workloads/graphs.toml");
const PLATFORMS: &str = include_str!("../../workloads/platforms.toml");

/// The example of the page, and what its comments leave out.
fn scenarios() -> impl Iterator<Item = &'static str> {
    let example = PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    example.into_iter().chain(OTHERS.split("# ---\n"))
}

/// Where no file is: the texts name some.
fn nowhere() -> Files {
    Files { folder: Path::new("/dev/null/nowhere").to_owned(), ..Files::default() }
}

fn scenario() -> Shape {
    let own = platforms();
    Shape::noted(|noted| {
        let texts = scenarios().map(str::to_owned).chain(own);
        for text in texts {
            let document = noted(Document::parse("", text));
            // Files that are not there are all that is wrong with them.
            let _ = read(document, String::new(), nowhere(), &Overrides::default());
        }
    })
}

fn graph() -> Shape {
    let (catalogue, settings) = (Catalogue::embedded(), Settings::default());
    // What stands under `workload` in a scenario, stands at the top of a file of graphs.
    let as_file = |text: &str| text.replace("[[workload.", "[[").replace("[workload.", "[");
    let in_scenarios = scenarios().map(|text| {
        let begin = text.find("[workload.template").unwrap_or(text.len());
        let end = text[begin..].find("[[workload.generate").map_or(text.len(), |end| begin + end);
        as_file(&text[begin..end])
    });
    let texts: Vec<String> = in_scenarios.chain([GRAPHS.to_owned()]).collect();
    Shape::of(texts.iter().map(String::as_str), |document| {
        Jobs::new(&catalogue, None, (&settings, WeightsRead::default()), &mut nowhere()).graphs_of(document);
    })
}

/// Platforms that have every number, once with all that supports it and once without.
fn platforms() -> [String; 2] {
    let head = "[[platform]]\nname = \"own\"\nlike = \"h100\"\ntitle = \"\"\ngeneration = \"\"\ncpu = \"\"\n";
    let stage = "[[platform.stage]]\nlevel = \"node\"\nadd = \"13 W\"\nefficiency = 0.98\n";
    let with = |value: &dyn Fn(&str) -> String| {
        let numbers = FIELDS.iter().map(|field| format!("{} = {}\n", field.key, value(field.unit)));
        format!("{head}{}{stage}", numbers.collect::<String>())
    };
    let supported =
        |unit: &str| format!("{{ value = 1, unit = \"{unit}\", basis = \"press\", source = \"a paper\" }}");
    [with(&supported), with(&|_| "1".to_owned())]
}

fn platform() -> Shape {
    let own = platforms();
    Shape::of(own.iter().map(String::as_str).chain([PLATFORMS]), |document| {
        let mut root = document.root();
        Catalogue::embedded().read(&mut root);
        root.finish();
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_what_it_takes() {
        for schema in SCHEMAS {
            assert_eq!(schema.shape().untold(), [""; 0], "{}", schema.name);
        }
    }

    #[test]
    fn what_is_read_is_in_the_schema() {
        let known = SCHEMAS[0].shape();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            // The largest takes its time, and has no key of its own.
            if path.extension().is_some_and(|ending| ending == "toml") && !path.ends_with("gigawatts.toml") {
                let shape = Shape::noted(|noted| {
                    let document = noted(Document::parse("", text.as_str()));
                    let _ = read(document, String::new(), nowhere(), &Overrides::default());
                });
                assert_eq!(shape.beyond(&known), [""; 0], "{}", path.display());
                count += 1;
            }
        }
        assert!(count > 5, "only {count} files");
        let odd = Shape::of(["a = 1"], |document| {
            document.root().optional::<u32>("a");
        });
        assert_eq!(odd.beyond(&known), ["a"], "what is not in it is noticed");
    }
}
