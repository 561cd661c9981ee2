use super::Exit;
use super::arguments::Inspect;
use super::terminal::Terminal;
use crate::cluster::Cluster;
use crate::error::{Error, Place, Problem, Problems, Result};
use crate::history;
use crate::metrics::profile::Profile;
use crate::metrics::{DemandProfile, Shape};
use crate::policy::part;
use crate::report::contrast::{Side, contrast};
use crate::report::demand::DemandInspection;
use crate::report::inspect::Inspection;
use crate::report::inspected;
use crate::scenario::{Loaded, Overrides, Scenario, read_trace};
use crate::trace::{Options, REQUEST_FORMATS, Requests, read_requests, recognised_requests};
use crate::units::Seconds;
use crate::workload::Workload;
use std::path::Path;

/// What is looked at.
struct Subject {
    title: String,
    workload: Workload,
    notes: Vec<String>,
    /// The cluster to compare with, and what to call it.
    cluster: Option<(String, Cluster)>,
    /// When a run of it is cut off.
    until: Option<u32>,
}

impl Subject {
    fn side<'a>(&'a self, shape: &'a Shape) -> Side<'a> {
        Side { title: &self.title, shape }
    }
}

/// Draws the profile of a workload, or the shapes of two.
pub(super) fn run(arguments: &Inspect, terminal: Terminal) -> Result<Exit> {
    if let [first, second] = &arguments.files[..] {
        let (first, second) = (subject(arguments, first)?, subject(arguments, second)?);
        terminal.notes(&first.notes);
        terminal.notes(&second.notes);
        let shapes = [&first, &second].map(|subject| Shape::of(&subject.workload));
        let (first, second) = (first.side(&shapes[0]), second.side(&shapes[1]));
        terminal.print(&match arguments.json {
            true => inspected::two(first, second),
            false => contrast(first, second, terminal.width),
        })?;
        return Ok(Exit::Done);
    }
    if let Some(requests) = requests(arguments, &arguments.files[0])? {
        let profile = DemandProfile::of(&requests.demand, Inspection::buckets(terminal.width));
        let (title, notes) =
            (format!("{} ({})", arguments.files[0].display(), requests.format), requests.notes.lines());
        let (width, colour) = (terminal.width, terminal.colour);
        terminal.print(&match arguments.json {
            true => inspected::requests(&title, &profile, &notes),
            false => {
                DemandInspection { title: &title, profile: &profile, notes: &notes, width, colour }.render()
            }
        })?;
        return Ok(Exit::Done);
    }
    let subject = subject(arguments, &arguments.files[0])?;
    let cluster = subject.cluster.as_ref();
    let buckets = Inspection::buckets(terminal.width);
    let profile = Profile::of(&subject.workload, cluster.map(|(_, cluster)| cluster), subject.until, buckets);
    if arguments.json {
        let gpus = cluster.map(|(_, cluster)| cluster.gpus());
        terminal.print(&inspected::profile(&subject.title, &profile, &subject.notes, gpus))?;
        return Ok(Exit::Done);
    }
    let inspection = Inspection {
        title: &subject.title,
        profile: &profile,
        notes: &subject.notes,
        cluster: cluster.map(|(name, cluster)| (name.as_str(), cluster.gpus())),
        until: subject.until.map(Seconds),
        width: terminal.width,
        colour: terminal.colour,
    };
    terminal.print(&inspection.render())?;
    Ok(Exit::Done)
}

/// The requests to models in a file, if that is what is in it.
fn requests(arguments: &Inspect, file: &Path) -> Result<Option<Requests>> {
    let asked = arguments.format.as_deref().filter(|format| *format != "auto");
    let is_one = match asked {
        Some(asked) => REQUEST_FORMATS.iter().any(|format| format.name == asked),
        None if !file.is_file() => false,
        None => {
            let bytes = std::fs::read(file).map_err(|source| Error::io("read", file, source))?;
            recognised_requests(&bytes).is_some()
        }
    };
    if !is_one {
        return Ok(None);
    }
    let given = given(arguments).filter(|(option, _)| *option != "--format");
    refuse(given, "does nothing for requests to models", None)?;
    let options = Options { skip_bad_lines: arguments.window.skip_bad_lines, ..Options::default() };
    read_requests(file, asked, &options).map(Some)
}

fn subject(arguments: &Inspect, file: &Path) -> Result<Subject> {
    let title = file.display().to_string();
    let is_toml = file.extension().is_some_and(|extension| extension == "toml");
    if file.is_dir() {
        only_for_files(arguments, file)?;
        return of_run(title, file);
    }
    let asked = arguments.cluster.as_deref();
    if is_toml && is_scenario(file)? {
        let overrides = Overrides {
            workload: None,
            format: None,
            cluster: arguments.cluster.clone(),
            ..overrides(arguments, file)
        };
        must_be_shown(
            arguments,
            |key| of_workload(key) || key == UNTIL || first_of(key) == "cluster",
            ELSEWHERE,
        )?;
        let loaded = Scenario::load(file, &overrides)?;
        return Ok(of_scenario(title, loaded, Some(asked.unwrap_or("its cluster"))));
    }
    // Where the cluster is none that anybody named, nothing of it is shown, nor when a run on it would end.
    match asked {
        Some(_) => must_be_shown(arguments, |key| of_workload(key) || key == UNTIL, ELSEWHERE)?,
        None => must_be_shown(arguments, of_workload, "`--cluster 64x8` compares with a cluster")?,
    }
    if is_toml || asked.is_some() || !arguments.set.is_empty() {
        return Ok(of_scenario(title, Scenario::from_overrides(&overrides(arguments, file))?, asked));
    }
    let alone = Overrides { cluster: None, set: Vec::new(), ..overrides(arguments, file) };
    let trace = read_trace(&alone)?;
    let title = format!("{title} ({})", trace.format);
    Ok(Subject { title, workload: trace.workload, notes: trace.notes.lines(), cluster: None, until: None })
}

/// What a key says of is no part of what is looked at.
const ELSEWHERE: &str =
    "`gigawatt simulate` takes it; what is looked at is the workload, and `--cluster` or the scenario's own";

/// When a run would end, up to which load is offered to a cluster.
const UNTIL: &str = "run.until";

/// Whether a key says something of a workload, with a cluster or without.
fn of_workload(key: &str) -> bool {
    ["workload", "tenant"].contains(&first_of(key)) || ["run.seed", "run.start"].contains(&key)
}

/// Where a key stands.
fn first_of(key: &str) -> &str {
    key.split('.').next().unwrap_or_default().trim()
}

/// Complains of keys that change nothing about what is shown.
fn must_be_shown(arguments: &Inspect, is_shown: impl Fn(&str) -> bool, hint: &str) -> Result<()> {
    let mut problems = Problems::default();
    for set in &arguments.set {
        let Some((key, _)) = set.split_once('=') else { continue };
        if !is_shown(key.trim()) {
            let problem = Problem::new(format!("`{}` changes nothing of what is shown", key.trim()));
            problems.push(problem.at(Place::file(format!("--set {set}"))).hint(hint));
        }
    }
    problems.into_result(())
}

/// Of two kinds of TOML files, the one that says what to run on what; the other is a file of job graphs.
fn is_scenario(file: &Path) -> Result<bool> {
    let text = std::fs::read_to_string(file).map_err(|source| Error::io("read", file, source))?;
    let root: std::result::Result<toml::Table, _> = text.parse();
    // What is no TOML is told by whoever reads it as a scenario.
    Ok(root.map_or(true, |root| root.contains_key("workload") || root.contains_key("cluster")))
}

/// Complains of options that change nothing about a run that is over.
fn only_for_files(arguments: &Inspect, file: &Path) -> Result<()> {
    let jobs = file.join("jobs.csv");
    let hint = format!("`{}` can be read as a trace", jobs.display());
    refuse(given(arguments), "does not go with the directory of a run", Some(&hint))
}

/// The options about a trace that are given, and their values.
fn given(arguments: &Inspect) -> impl Iterator<Item = (&'static str, &String)> {
    let window = &arguments.window;
    let all = [
        ("--format", arguments.format.as_ref()),
        ("--cluster", arguments.cluster.as_ref()),
        ("--submitted-from", window.from.as_ref()),
        ("--submitted-before", window.until.as_ref()),
        ("--scale-load", window.scale_load.as_ref()),
        ("--sample", window.sample.as_ref()),
        ("--estimates", window.estimates.as_ref()),
        ("--columns", window.columns.as_ref()),
        ("--map", window.map.first()),
        ("--set", arguments.set.first()),
    ];
    all.into_iter().filter_map(|(option, text)| Some((option, text?)))
}

/// Complains of options.
fn refuse<'a>(
    given: impl Iterator<Item = (&'static str, &'a String)>,
    why: &str,
    hint: Option<&str>,
) -> Result<()> {
    let mut problems = Problems::default();
    for (option, text) in given {
        let problem = Problem::new(format!("`{option}` {why}")).at(Place::file(format!("{option} {text}")));
        problems.push(hint.into_iter().fold(problem, |problem, hint| problem.hint(hint)));
    }
    problems.into_result(())
}

/// The workload of a saved run, compared with its cluster.
fn of_run(title: String, directory: &Path) -> Result<Subject> {
    let path = directory.join("history");
    let bytes = std::fs::read(&path).map_err(|source| Error::io("read", &path, source))?;
    let plan = history::file::read(&bytes, &path.display().to_string())?.plan;
    // What a newer version wrote may name parts that this one does not know.
    if let Err(problem) = part::check(&plan.settings) {
        return Err(problem.at(Place::file(path.display().to_string())).into());
    }
    let cluster = Some(("its cluster".to_owned(), plan.cluster));
    let until = plan.settings.until;
    Ok(Subject { title, workload: plan.workload, notes: Vec::new(), cluster, until })
}

/// A scenario, compared with its cluster if that has a name.
fn of_scenario(title: String, loaded: Loaded, cluster: Option<&str>) -> Subject {
    let plan = loaded.plan;
    let (cluster, until) = (cluster.map(|name| (name.to_owned(), plan.cluster)), plan.settings.until);
    Subject { title, workload: plan.workload, notes: loaded.notes, cluster, until }
}

fn overrides(arguments: &Inspect, file: &Path) -> Overrides {
    Overrides {
        workload: Some(file.display().to_string()),
        format: arguments.format.clone(),
        cluster: Some(arguments.cluster.clone().unwrap_or_else(|| "1x8".to_owned())),
        // What is too large for the cluster is still worth looking at.
        set: ["run.oversized=reject".to_owned()].into_iter().chain(arguments.set.clone()).collect(),
        ..arguments.window.overrides()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{Control, simulate};

    #[test]
    fn a_saved_run_that_names_an_unknown_part_is_told() {
        let text = "cluster = \"1x8\"\n[[workload.job]]\nid = \"a\"\ngpus = 1\nwork = 60\n";
        let loaded = Scenario::from_text("s.toml", text, &Overrides::default()).unwrap();
        let mut history = simulate(loaded.plan, &mut Control::default());
        let folder = tempfile::tempdir().unwrap();
        let mut inspected = |order: &str| {
            history.plan.settings.order = order.to_owned();
            let mut bytes = Vec::new();
            history::file::write(&history, &mut bytes).unwrap();
            std::fs::write(folder.path().join("history"), bytes).unwrap();
            of_run("run".to_owned(), folder.path()).map(|subject| subject.workload.len())
        };
        assert!(matches!(inspected("fifo"), Ok(1)), "as it was");
        let told = inspected("strf").unwrap_err().to_string();
        assert!(told.contains("unknown order `strf`") && told.contains("did you mean `srtf`?"), "{told}");
    }
}
