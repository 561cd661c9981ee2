//! The house is kept: small files, every part in its table, nothing unfinished, no path of anybody's machine.

use gigawatt::policy::part::Kind;
use gigawatt::state::constraint::CONSTRAINTS;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest a source file may be, its unit tests left out; what needs more has two subjects.
const LINES_MAX: usize = 450;

/// Files that are longer, each with its measure, so that none of them grows much further.
const LONGER: &[(&str, usize)] = &[("src/history/sample.rs", 550), ("tests/cli.rs", 650)];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every file of the package's own folders: its path from the root, and its text where it is text.
fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["src", "tests", "benches", "workloads", ".ci"] {
        if root().join(folder).is_dir() {
            files(&root().join(folder), &mut found);
        }
    }
    for file in ["README.md", "CHANGELOG.md", "Cargo.toml", "clippy.toml", "rustfmt.toml"] {
        found.push(root().join(file));
    }
    let text = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("found below it").to_string_lossy().into_owned();
        Some((name, fs::read_to_string(&path).ok()?))
    };
    let texts: Vec<(String, String)> = found.into_iter().filter_map(text).collect();
    assert!(texts.len() > 50, "only {} files found", texts.len());
    texts
}

/// Lines before the unit tests.
fn length(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

/// Files that are too long.
fn too_long<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a str)>,
    longer: &[(&str, usize)],
) -> Vec<String> {
    let most =
        |name: &str| longer.iter().find(|(other, _)| *other == name).map_or(LINES_MAX, |entry| entry.1);
    let lines = texts.into_iter().map(|(name, text)| (name, length(text)));
    lines
        .filter(|(name, lines)| *lines > most(name))
        .map(|(name, lines)| format!("{name} has {lines} lines, at most {}", most(name)))
        .collect()
}

#[test]
fn files_are_small() {
    let texts = texts();
    let rust = texts.iter().filter(|(name, _)| name.ends_with(".rs"));
    let found = too_long(rust.map(|(name, text)| (name.as_str(), text.as_str())), LONGER);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_long_file_is_noticed() {
    let long = "\n".repeat(LINES_MAX + 1);
    assert_eq!(too_long([("src/a.rs", long.as_str())], &[]).len(), 1, "one line too many");
    assert!(too_long([("src/a.rs", long.as_str())], &[("src/a.rs", LINES_MAX + 1)]).is_empty(), "listed");
    let tested = format!("fn a() {{}}\n#[cfg(test)]\n{long}");
    assert!(too_long([("src/a.rs", tested.as_str())], &[]).is_empty(), "unit tests do not count");
}

/// What no file may contain, split so that this one does not; and why.
fn banned() -> [(String, &'static str); 9] {
    let whole = |halves: [&str; 2]| halves.concat();
    [
        (whole(["todo", "!("]), "an unfinished piece"),
        (whole(["unimplemented", "!("]), "an unfinished piece"),
        (whole(["#[", "ignore"]), "a test that does not run"),
        (whole(["#[", "allow("]), "a lint silenced for good: `expect` says when it is over"),
        (whole(["/ho", "me/"]), "a path of somebody's machine"),
        (whole(["/ro", "ot/"]), "a path of somebody's machine"),
        (whole(["/wo", "rk/"]), "a path of somebody's machine"),
        (whole(["/Us", "ers/"]), "a path of somebody's machine"),
        (whole(["FIX", "ME"]), "an unfinished piece"),
    ]
}

/// The lines of a text that contain what no file may.
fn unkept(name: &str, text: &str) -> Vec<String> {
    let banned = banned();
    let line = |(number, line): (usize, &str)| {
        let found: Vec<String> = banned
            .iter()
            .filter(|(word, _)| line.contains(word.as_str()))
            .map(|(word, why)| format!("{name}:{}: `{word}` is {why}", number + 1))
            .collect();
        found
    };
    text.lines().enumerate().flat_map(line).collect()
}

#[test]
fn nothing_is_unfinished_or_tied_to_a_machine() {
    let found: Vec<String> = texts().iter().flat_map(|(name, text)| unkept(name, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_unfinished_piece_is_noticed() {
    for (word, _) in banned() {
        assert_eq!(unkept("src/a.rs", &format!("fn a() {{}}\n    {word}x")).len(), 1, "`{word}` in line 2");
    }
}

/// Files of a folder that no table names: a part's file is called as the part, `_` for `-`.
fn strangers(files: &[String], helpers: &[&str], names: &[&str]) -> Vec<String> {
    let known = |file: &&String| {
        let stem = file.trim_end_matches(".rs").replace('_', "-");
        stem == "mod" || helpers.contains(&stem.as_str()) || names.contains(&stem.as_str())
    };
    files.iter().filter(|file| !known(file)).cloned().collect()
}

fn names_in(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    files(&root().join(folder), &mut found);
    found
        .iter()
        .map(|path| path.file_name().expect("a file has a name").to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_part_is_in_its_table() {
    for (folder, helpers, kind) in [
        // What tenants used lately, turns of queues, and keys that change, which several orders share.
        ("src/policy/order", &["share", "decayed", "turns", "ranking", "varying"][..], Kind::Order),
        // What conservative backfill knows of times to come.
        (
            "src/policy/backfill",
            &[
                "changes", "gpus", "options", "pass", "power", "profile", "running", "slots", "step",
                "waiting",
            ][..],
            Kind::Backfill,
        ),
        // How one pod and a gang go and what a place costs, which every placement shares; weights as an expression.
        (
            "src/policy/placement",
            &[
                "pod",
                "gang",
                "scan",
                "model",
                "stranded",
                "frozen",
                "ranked",
                "assembly",
                "own",
                "expression",
            ][..],
            Kind::Placement,
        ),
        ("src/policy/hold", &[][..], Kind::Hold),
        // How running jobs are slowed and set free, and which jobs yield.
        ("src/policy/power", &["control", "curtail"][..], Kind::Power),
        // How a rule finds out which jobs yield, and when a key that jumps calls for a pass.
        (
            "src/policy/preemption",
            &["yielding", "running", "fair", "jumps", "line", "out", "pool", "regions"][..],
            Kind::Preemption,
        ),
    ] {
        let found = names_in(folder);
        let names: Vec<&str> = kind.parts().map(|part| part.name).collect();
        assert_eq!(strangers(&found, helpers, &names), [""; 0], "{folder}: not in its table");
        for name in &names {
            let own = format!("{}.rs", name.replace('-', "_"));
            assert!(found.contains(&own), "{folder}: `{name}` has no file of its own");
            let listed = names.iter().filter(|other| *other == name).count();
            assert_eq!(listed, 1, "{folder}: `{name}` is listed once");
        }
    }
}

#[test]
fn a_constraint_is_one_file_and_one_line() {
    let found = names_in("src/state/constraint");
    let names: Vec<&str> = CONSTRAINTS.iter().map(|constraint| constraint.reason.name()).collect();
    assert_eq!(strangers(&found, &[], &names), [""; 0], "a file that the table does not name");
    assert_eq!(found.len(), names.len() + 1, "a file for each, and the table's");
    let lines = |name: &str| {
        let named = format!("constraint::{name}");
        let texts = texts();
        texts.iter().filter(|(path, text)| path.starts_with("src") && text.contains(&named)).count()
    };
    for name in &names {
        assert_eq!(lines(name), 0, "only the table names `{name}`");
    }
    assert!(lines("CONSTRAINTS") > 0, "the table itself is named elsewhere");
}

#[test]
fn a_part_outside_its_table_is_noticed() {
    let files = ["mod.rs", "best_fit.rs", "worst_fit.rs"].map(str::to_owned);
    assert_eq!(strangers(&files, &[], &["best-fit"]), ["worst_fit.rs"], "worst-fit is not listed");
}
