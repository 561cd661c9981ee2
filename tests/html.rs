//! Report pages as a user makes them, and as a browser shows them.
//!
//! The browser is Chromium, driven by `tests/browser.py` with the Python in `GIGAWATT_PYTHON`; `tests/run.sh` installs
//! both. Without them the test says that it is skipped, or fails where `GIGAWATT_REQUIRE_TOOLS=1`.

#![cfg(feature = "html")]
#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn gigawatt(directory: &Path, arguments: &str) -> Output {
    let words = arguments.split_whitespace();
    Command::new(env!("CARGO_BIN_EXE_gigawatt")).current_dir(directory).args(words).output().unwrap()
}

/// What a command prints when it is done.
#[track_caller]
fn done(directory: &Path, arguments: &str) -> String {
    let output = gigawatt(directory, arguments);
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`gigawatt {arguments}` fails:\n{talk}");
    String::from_utf8(output.stdout).unwrap()
}

/// The workloads of the repository, and room for runs.
fn directory() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let workloads = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    for entry in std::fs::read_dir(workloads).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        std::fs::copy(&path, place.path().join(path.file_name().unwrap())).unwrap();
    }
    place
}

fn page(path: &Path) -> String {
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "whole");
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    page
}

#[test]
fn a_run_has_the_same_page_as_it_is_made_and_from_its_directory() {
    let place = directory();
    let run = place.path().join("run");
    done(place.path(), "simulate night.toml --out run --report");
    let made = page(&run.join("report.html"));
    assert!(made.contains("What limited the run"), "it answers");
    std::fs::remove_file(run.join("report.html")).unwrap();
    assert_eq!(done(place.path(), "report run"), "run/report.html\n", "where it is");
    let again = page(&run.join("report.html"));
    assert_eq!(made, again, "the same bytes");
    done(place.path(), "simulate night.toml --out run --force");
    assert!(!run.join("report.html").exists(), "the page of an earlier run is taken away");
}

#[test]
fn several_runs_and_a_comparison_have_a_page() {
    let place = directory();
    done(place.path(), "simulate night.toml --out a");
    done(place.path(), "simulate night.toml -p sjf/easy --out b");
    done(place.path(), "report a b --out both.html");
    let both = page(&place.path().join("both.html"));
    assert!(
        both.contains("2 runs side by side") && both.contains(">a</th>") && both.contains(">b</th>"),
        "both"
    );
    done(place.path(), "compare night.toml -p fcfs -p easy --seeds 10 --report compared.html");
    let compared = page(&place.path().join("compared.html"));
    assert!(compared.contains("paired") && compared.contains(" … "), "with intervals");
}

#[test]
fn what_is_no_run_is_told() {
    let place = directory();
    let told = |arguments: &str| {
        let output = gigawatt(place.path(), arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = told("report nowhere");
    assert!(code == Some(2) && text.contains("nowhere/history"), "{text}");
    std::fs::create_dir(place.path().join("half")).unwrap();
    std::fs::write(place.path().join("half/history"), "not one").unwrap();
    let (code, text) = told("report half");
    assert!(code == Some(2) && text.contains("no history that can be read"), "{text}");
    done(place.path(), "simulate night.toml --out run");
    std::fs::write(place.path().join("run/manifest.json"), "{").unwrap();
    let (code, text) = told("report run");
    assert!(code == Some(2) && text.contains("no manifest that can be read"), "{text}");
    let (code, text) = told("simulate night.toml --report");
    assert!(code == Some(2) && text.contains("--out"), "a page needs a place: {text}");
}

/// The commands that a page proposes.
fn proposed(page: &str) -> Vec<String> {
    let code =
        page.split("<pre tabindex=\"0\"><code>").skip(1).map(|rest| rest.split("</code>").next().unwrap());
    code.map(|text| {
        text.replace("<span>", "")
            .replace("</span>", "")
            .replace("&#39;", "'")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    })
    .collect()
}

#[test]
fn what_a_page_proposes_works() {
    let place = directory();
    let mut count = 0;
    for (index, run) in [
        "quickstart.toml",
        "quickstart.toml -p srtf",
        "night.toml -p fifo/none",
        "dps.toml",
        "cheap-hours.toml",
        "--workload sample.swf --cluster 8x8 -p fcfs",
    ]
    .iter()
    .enumerate()
    {
        done(place.path(), &format!("simulate {run} --out run{index} --report"));
        let commands = proposed(&page(&place.path().join(format!("run{index}/report.html"))));
        assert!((1..=2).contains(&commands.len()), "{run}: {commands:?}");
        for command in commands {
            let words = command.strip_prefix("gigawatt ").unwrap().replace('\'', "");
            let seeds = if words.starts_with("compare") { " --seeds 1" } else { "" };
            done(place.path(), &format!("{words}{seeds}"));
            count += 1;
        }
    }
    assert!(count >= 8, "only {count} commands");
}

/// The Python that has what the script needs, and a browser; or why not.
fn tools() -> Result<(PathBuf, PathBuf), String> {
    let python = PathBuf::from(std::env::var_os("GIGAWATT_PYTHON").unwrap_or_else(|| "python3".into()));
    let modules = Command::new(&python).args(["-c", "import playwright, axe_playwright_python"]).output();
    if !modules.is_ok_and(|output| output.status.success()) {
        return Err(format!("{} has no playwright and axe (tests/requirements.txt)", python.display()));
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let browsers = std::env::split_paths(&folders)
        .flat_map(|folder| ["chromium", "chromium-browser"].map(|name| folder.join(name)));
    let found = browsers.into_iter().find(|path| path.is_file());
    found.map(|browser| (python, browser)).ok_or_else(|| "no chromium".to_owned())
}

#[test]
fn a_browser_finds_nothing_wrong() {
    let (python, browser) = match tools() {
        Ok(tools) => tools,
        Err(why) => {
            assert!(std::env::var_os("GIGAWATT_REQUIRE_TOOLS").is_none_or(|set| set != "1"), "{why}");
            eprintln!("skipped: {why}");
            return;
        }
    };
    let place = directory();
    done(place.path(), "simulate --out quick --report");
    done(place.path(), "simulate cheap-hours.toml --out hours");
    done(place.path(), "simulate cheap-hours.toml -p sjf/easy --out sjf");
    done(place.path(), "report hours sjf --out both.html");
    done(place.path(), "compare night.toml -p fcfs -p easy -p greedy --seeds 10 --report compared.html");
    let look = |pages: &[&str]| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser.py");
        let output = Command::new(&python)
            .arg(script)
            .arg(&browser)
            .args(pages)
            .current_dir(place.path())
            .output()
            .unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    let (fine, text) = look(&["quick/report.html", "both.html", "compared.html"]);
    assert!(fine, "{text}");
    // Planted: it must notice.
    let broken = page(&place.path().join("compared.html"))
        .replace("(%)</h3>", "</h3>")
        .replace("</main>", "<img src=\"missing.png\"><script>console.error(\"planted\")</script></main>");
    std::fs::write(place.path().join("broken.html"), broken).unwrap();
    let (fine, text) = look(&["broken.html"]);
    for noticed in ["no unit in", "planted", "image-alt"] {
        assert!(!fine && text.contains(noticed), "{noticed} is not noticed: {text}");
    }
}
