//! A real terminal: `tmux` draws what a person would see, `script` passes on what is written to one.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Whether a tool is there. Where it is not, says that the test is skipped, or fails where `GIGAWATT_REQUIRE_TOOLS=1`.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
pub(crate) fn tool(name: &str) -> bool {
    let found = Command::new(name).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return true;
    }
    let is_required = std::env::var_os("GIGAWATT_REQUIRE_TOOLS").is_some_and(|set| set == "1");
    assert!(!is_required, "there is no `{name}`");
    eprintln!("skipped: there is no `{name}`");
    false
}

/// How long a screen may take to show something: tests run beside each other.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal in which the command runs; its last line tells the exit code once that is known.
pub(crate) struct Screen {
    place: tempfile::TempDir,
}

impl Screen {
    /// The command in a terminal of so many columns and lines; none without `tmux`.
    pub(crate) fn open(directory: &Path, arguments: &str, (width, height): (usize, usize)) -> Option<Self> {
        if !tool("tmux") {
            return None;
        }
        let screen = Self { place: tempfile::tempdir().unwrap() };
        let settings = screen.place.path().join("tmux.conf");
        std::fs::write(settings, "set -g status off\n").unwrap();
        // Whoever types a key that ends the command shall not end what tells its exit code.
        let run = format!(
            "trap : INT; '{}' {arguments}; echo done: $?; exec sleep 600",
            env!("CARGO_BIN_EXE_gigawatt")
        );
        let (width, height) = (width.to_string(), height.to_string());
        let session = ["new-session", "-d", "-x", &width, "-y", &height, "sh", "-c", &run];
        let mut tmux = screen.tmux();
        tmux.current_dir(directory).args(session);
        assert!(tmux.status().unwrap().success(), "tmux starts");
        Some(screen)
    }
    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.arg("-u").arg("-S").arg(self.place.path().join("socket"));
        tmux.arg("-f").arg(self.place.path().join("tmux.conf"));
        tmux.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
        tmux.env_remove("TMUX").env_remove("COLUMNS").env_remove("NO_COLOR");
        tmux
    }
    /// Types keys, as `tmux send-keys` calls them.
    pub(crate) fn keys(&self, keys: &[&str]) {
        let sent = self.tmux().arg("send-keys").args(keys).status().unwrap();
        assert!(sent.success(), "keys are typed");
    }
    /// What is on the screen.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8(self.tmux().args(["capture-pane", "-p"]).output().unwrap().stdout).unwrap()
    }
    /// The screen once it shows a text.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) -> String {
        self.once(&format!("`{text}`"), |shown| shown.contains(text))
    }
    /// The screen once the last thing on it is this question.
    #[track_caller]
    pub(crate) fn asked(&self, question: &str) {
        self.once(&format!("the question `{question}`"), |shown| {
            let last = shown.trim_end().rfind(question);
            last.is_some_and(|place| !shown[place..].contains("error"))
        });
    }
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a person would wait, too")]
    fn once(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let shown = self.shown();
            if is_there(&shown) {
                return shown;
            }
            assert!(start.elapsed() < PATIENCE, "{what} does not come:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").status();
    }
}

/// What the command writes to a terminal of so many columns, in an environment with these.
pub(crate) fn in_colour(directory: &Path, arguments: &str, columns: u16, set: &[(&str, &str)]) -> String {
    // A terminal shows talk among the results.
    let run = format!("'{}' {arguments} 2>/dev/null", env!("CARGO_BIN_EXE_gigawatt"));
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &run, "/dev/null"])
        .current_dir(directory)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .env("COLUMNS", columns.to_string())
        .envs(set.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments}: {text}");
    text.replace("\r\n", "\n")
}

/// A text without what sets colours.
pub(crate) fn without_colour(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or(piece, |(_, rest)| rest))
}
