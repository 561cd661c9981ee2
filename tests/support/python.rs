//! Scripts in Python that look at results with tools of others; `tests/run.sh` installs those.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python in `GIGAWATT_PYTHON`, if it has these modules. Where it has not, says that the test is skipped, or fails
/// where `GIGAWATT_REQUIRE_TOOLS=1`.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
pub(crate) fn python(modules: &str) -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os("GIGAWATT_PYTHON").unwrap_or_else(|| "python3".into()));
    let found = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let why = format!("{} has not all of {modules} (tests/requirements.txt)", python.display());
    assert!(std::env::var_os("GIGAWATT_REQUIRE_TOOLS").is_none_or(|set| set != "1"), "{why}");
    eprintln!("skipped: {why}");
    None
}

/// Runs a script of `tests` in a directory: whether it is content, and what it says.
pub(crate) fn script(python: &Path, name: &str, arguments: &[&str], directory: &Path) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    let output = Command::new(python).arg(script).args(arguments).current_dir(directory).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}
