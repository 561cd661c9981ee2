use crate::error::Error;
use std::process::ExitCode;

/// How the command ends; what a script may rely on.
///
/// ```
/// use gigawatt::cli::Exit;
/// assert_eq!(Exit::Done.code(), 0);
/// assert_eq!(Exit::WrongInput.code(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All that was asked for is done; also when whoever read the output closed it early.
    Done = 0,
    /// It is done, but jobs are left that nothing left to happen could start, a check failed or the answer is no.
    Unfinished = 1,
    /// The input is wrong: a file, a scenario, an option. Nothing was run.
    WrongInput = 2,
    /// The GPU asked for cannot be used.
    DeviceUnusable = 3,
    /// A bug in this program.
    Bug = 101,
    /// Ctrl-C; what was done until then is kept, and says that it is unfinished.
    Interrupted = 130,
    /// The same, when asked to terminate (SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// Every way to end.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Unfinished,
        Self::WrongInput,
        Self::DeviceUnusable,
        Self::Bug,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
    /// When it happens, for `--help`.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unfinished => {
                "done, but jobs are left that nothing can start, a check failed, or the answer is no"
            }
            Self::WrongInput => "the input is wrong; nothing was run",
            Self::DeviceUnusable => "the GPU asked for is not usable",
            Self::Bug => "a bug in gigawatt",
            Self::Interrupted => "interrupted by Ctrl-C",
            Self::Terminated => "interrupted by SIGTERM",
        }
    }
}

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error {
            Error::Device { .. } => Self::DeviceUnusable,
            Error::Input(_) | Error::Io { .. } => Self::WrongInput,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
