//! What is known of what fails in real clusters, as data.

use super::{Described, Per};
use crate::document::{Document, Table};
use crate::error::{Problem, Problems};
use crate::hardware::Basis;
use std::sync::LazyLock;

const EMBEDDED: &str = include_str!("profiles.toml");

/// The components of a cluster that somebody has observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// As scenarios call it.
    pub name: String,
    /// What was observed.
    pub title: String,
    /// GPUs of a node there.
    pub gpus_per_node: u32,
    /// GPUs of a rack there.
    pub gpus_per_rack: u32,
    /// How far detection and repairs can be trusted.
    pub repair_basis: Basis,
    /// Where they come from.
    pub repair_source: String,
    /// In the order of the file.
    pub components: Vec<Graded>,
}

/// A component, and why to believe how often it fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// What fails, how often, and what is done then.
    pub described: Described,
    /// How far its rate can be trusted.
    pub basis: Basis,
    /// Where that comes from.
    pub source: String,
}

impl Profile {
    /// The profiles that come with this version.
    ///
    /// ```
    /// use gigawatt::failure::Profile;
    /// let llama = Profile::named("h100-llama3").unwrap();
    /// let failures = llama.a_gpu_day() * 54.0 * 16_384.0;
    /// assert!((failures - 419.0).abs() < 0.01, "as the paper counts");
    /// ```
    ///
    /// # Panics
    /// Never: a test reads the same text.
    #[must_use]
    pub fn all() -> &'static [Self] {
        static READ: LazyLock<Vec<Profile>> =
            LazyLock::new(|| read(EMBEDDED).expect("the embedded profiles are read by a test"));
        &READ
    }
    /// The profile of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|profile| profile.name == name)
    }
    /// Failures a GPU and day: Σ failures a day of a part ÷ GPUs that share it. Of a feed or a site nobody knows how
    /// many do.
    #[must_use]
    pub fn a_gpu_day(&self) -> f64 {
        self.components.iter().map(|graded| self.of_component(graded)).sum()
    }
    /// What a component has in that sum.
    #[must_use]
    pub fn of_component(&self, graded: &Graded) -> f64 {
        let sharing = match graded.described.per {
            Per::Gpu | Per::JobGpu => 1,
            Per::Node => self.gpus_per_node,
            Per::Rack => self.gpus_per_rack,
            Per::Feed | Per::Site => return 0.0,
        };
        graded.described.a_day() / f64::from(sharing)
    }
    /// The least that any of its rates can be trusted.
    #[must_use]
    pub fn basis(&self) -> Basis {
        self.components.iter().map(|graded| graded.basis).max().unwrap_or(Basis::Defined)
    }
}

/// The profiles of a text.
fn read(text: &str) -> Result<Vec<Profile>, Problems> {
    let document = Document::parse("profiles.toml", text);
    let mut root = document.root();
    let profiles = root.tables("profile").into_iter().filter_map(profile).collect();
    root.finish();
    let problems = document.into_problems();
    if problems.is_empty() { Ok(profiles) } else { Err(problems) }
}

fn profile(mut table: Table<'_>) -> Option<Profile> {
    let (name, title) = (table.required::<String>("name"), table.required::<String>("title"));
    let (node, rack) = (table.required::<u32>("gpus_per_node"), table.required::<u32>("gpus_per_rack"));
    let repair = basis(&mut table, "repair_basis").zip(table.required::<String>("repair_source"));
    let tables = table.tables("component");
    let count = tables.len();
    let components: Vec<Graded> = tables.into_iter().filter_map(graded).collect();
    for (index, own) in components.iter().enumerate() {
        if components[..index].iter().any(|other| other.described.name == own.described.name) {
            table.complain(Problem::new(format!("component `{}` is described twice", own.described.name)));
        }
    }
    table.finish();
    let (repair_basis, repair_source) = repair?;
    let profile = Profile {
        name: name?.value,
        title: title?.value,
        gpus_per_node: node?.value,
        gpus_per_rack: rack?.value,
        repair_basis,
        repair_source: repair_source.value,
        components,
    };
    (profile.components.len() == count).then_some(profile)
}

fn graded(mut table: Table<'_>) -> Option<Graded> {
    let described = Described::read(&mut table);
    let (basis, source) = (basis(&mut table, "basis"), table.required::<String>("source"));
    table.finish();
    Some(Graded { described: described?, basis: basis?, source: source?.value })
}

fn basis(table: &mut Table<'_>, key: &'static str) -> Option<Basis> {
    let names = Basis::ALL.map(|basis| (basis.name(), basis));
    table.required_item(key)?.choice(&names).map(|basis| basis.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the failures of a profile within so many GPU-days are as many as were counted, to 0.5 %.
    fn is_as_counted(profile: &Profile, gpu_days: f64, counted: f64) -> bool {
        (profile.a_gpu_day() * gpu_days / counted - 1.0).abs() < 5e-3
    }

    #[test]
    fn every_embedded_profile_is_read() {
        let profiles = read(EMBEDDED).unwrap_or_else(|problems| panic!("{problems}"));
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["h100-llama3", "rsc-1", "rsc-2", "nvl72-early"], "all of them");
        for graded in profiles.iter().flat_map(|profile| &profile.components) {
            assert!(graded.source.len() > 10, "`{}` says where it comes from", graded.described.name);
        }
    }

    #[test]
    fn profiles_reproduce_what_was_counted() {
        let llama = Profile::named("h100-llama3").unwrap();
        assert_eq!(llama.components.len(), 18, "the causes of the paper");
        assert!(is_as_counted(llama, 54.0 * 16_384.0, 419.0), "{}", llama.a_gpu_day());
        let mut planted = llama.clone();
        planted.components.retain(|graded| graded.described.name != "ssd");
        assert!(!is_as_counted(&planted, 54.0 * 16_384.0, 419.0), "three of 419 are missed");
        for (name, a_node_day) in [("rsc-1", 6.5e-3), ("rsc-2", 2.34e-3)] {
            let profile = Profile::named(name).unwrap();
            let hardware = profile.components.iter().filter(|graded| graded.described.per == Per::Node);
            let sum: f64 = hardware.map(|graded| graded.described.a_day()).sum();
            assert!((sum / a_node_day - 1.0).abs() < 1e-9, "{name}: {sum}");
        }
        let early = Profile::named("nvl72-early").unwrap();
        let racks = early.components.iter().filter(|graded| graded.described.per == Per::Rack);
        let sum: f64 = racks.map(|graded| graded.described.a_day()).sum();
        assert!((sum * 120.0 - 1.0).abs() < 1e-3, "one event of a rack in 120 days: {sum}");
    }

    #[test]
    fn what_is_wrong_with_a_profile_is_told() {
        let head = "[[profile]]\nname = \"a\"\ntitle = \"t\"\ngpus_per_node = 8\ngpus_per_rack = 8\nrepair_basis = \"press\"\nrepair_source = \"s\"\n";
        let component = "[[profile.component]]\nname = \"gpu\"\nper = \"gpu\"\nrate = 1e-4\nrepair = { time = 60 }\nbasis = \"press\"\nsource = \"s\"\n";
        assert_eq!(read(&format!("{head}{component}")).unwrap().len(), 1, "as it is");
        for (text, expected) in [
            (format!("{head}{component}{component}"), "`gpu` is described twice"),
            (format!("{head}{}", component.replace("press", "rumour")), "unknown basis `rumour`"),
            (format!("{head}{}", component.replace("1e-4", "0")), "`rate`: expected failures a day"),
            (format!("{head}{component}x = 1\n"), "unknown key `x`"),
        ] {
            let problems = read(&text).unwrap_err().to_string();
            assert!(problems.contains(expected), "{problems}");
        }
    }
}
