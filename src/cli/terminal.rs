use crate::error::{Error, Result};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// What stands at the other end of stdout and stderr.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    /// Columns of stdout; 80 where it is no terminal.
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

impl Terminal {
    /// Looks at stdout, stderr, `NO_COLOR` and `TERM`.
    pub(super) fn detect() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let plain = set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let out = io::stdout().is_terminal();
        let watched = io::stderr().is_terminal();
        let size = if out { terminal_size::terminal_size() } else { None };
        Self {
            width: size.map_or(WIDTH, |(width, _)| width.0),
            colour: out && !plain,
            error_colour: watched && !plain,
            watched,
            quiet: false,
        }
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
