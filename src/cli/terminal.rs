use crate::error::{Error, Result};
use crate::report::lines::fitted;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// What stands at the other end of stdout and stderr.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    /// Columns that text takes: those of `COLUMNS` or of the terminal, 80 where stdout is none; 40 to 200.
    pub(super) width: u16,
    /// Whether stdout takes colours.
    pub(super) colour: bool,
    /// Whether stderr takes colours.
    pub(super) error_colour: bool,
    /// Whether somebody watches stderr.
    pub(super) watched: bool,
    /// Whether only results and errors are wanted.
    pub(super) quiet: bool,
}

/// Columns where nobody says how many there are.
const WIDTH: u16 = 80;
/// The fewest and the most that text is laid out for.
const WIDTHS: std::ops::RangeInclusive<u16> = 40..=200;

impl Terminal {
    /// Looks at stdout, stderr, `COLUMNS`, `NO_COLOR` and `TERM`.
    pub(super) fn detect() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let plain = set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let out = io::stdout().is_terminal();
        let watched = io::stderr().is_terminal();
        let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let seen = || terminal_size::terminal_size().filter(|_| out).map(|(width, _)| width.0);
        let width = asked.filter(|columns| *columns > 0).or_else(seen).unwrap_or(WIDTH);
        Self {
            width: width.clamp(*WIDTHS.start(), *WIDTHS.end()),
            colour: out && !plain,
            error_colour: watched && !plain,
            watched,
            quiet: false,
        }
    }
    /// Writes text for people to stdout, lines that are too long broken at blanks.
    pub(super) fn print_text(&self, text: &str) -> Result<()> {
        self.print(&fitted(text, self.width))
    }
    /// Writes data to stdout. That nobody reads it any more is no error.
    pub(super) fn print(&self, text: &str) -> Result<()> {
        self.print_bytes(text.as_bytes())
    }
    /// The same of data that is no text.
    pub(super) fn print_bytes(&self, bytes: &[u8]) -> Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::io("write", Path::new("stdout"), error))
            }
            _ => Ok(()),
        }
    }
    /// Writes talk to stderr, as a line of its own.
    pub(super) fn say(&self, text: &str) {
        // With nobody there to hear it, there is nobody to complain to.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
    /// Says what is worth knowing before the results.
    pub(super) fn note(&self, text: &str) {
        if self.quiet {
            return;
        }
        let (bold, plain) = if self.error_colour { ("\x1b[1;36m", "\x1b[0m") } else { ("", "") };
        self.say(&format!("{bold}note{plain}: {text}"));
    }
    /// Says what was dropped, changed or assumed.
    pub(super) fn notes(&self, notes: &[String]) {
        for note in notes {
            self.note(note);
        }
    }
    /// Says what went wrong.
    pub(super) fn error(&self, error: &Error) {
        match error {
            Error::Input(problems) => self.say(&problems.render(self.error_colour)),
            other => {
                let (red, plain) = if self.error_colour { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
                self.say(&format!("{red}error{plain}: {other}"));
            }
        }
    }
}
