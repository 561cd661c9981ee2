use super::Exit;
use super::terminal::Terminal;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Whether what interrupted it was no key, but a request to terminate.
static TERMINATED: AtomicBool = AtomicBool::new(false);

/// From here on the first Ctrl-C, or request to terminate, asks the run to end, and the second ends the program.
pub(super) fn listen(terminal: Terminal) -> &'static AtomicBool {
    // Two listeners would take one signal for two.
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| on_signal(interrupted(terminal)));
    &INTERRUPTED
}

/// What a signal does.
fn interrupted(terminal: Terminal) -> impl FnMut(Exit) + Send + 'static {
    move |exit| {
        TERMINATED.store(exit == Exit::Terminated, Ordering::Relaxed);
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(exit.code()));
        }
        // A thread of its own: should nobody read stderr, the second one must still be heard.
        std::thread::spawn(move || {
            terminal.say("interrupted: finishing up with what is done so far; Ctrl-C again to stop at once");
        });
    }
}

/// How a command ends: what is not done because it was interrupted says so.
pub(super) fn told(exit: Exit) -> Exit {
    match exit {
        Exit::Unfinished if TERMINATED.load(Ordering::Relaxed) => Exit::Terminated,
        Exit::Unfinished if INTERRUPTED.load(Ordering::Relaxed) => Exit::Interrupted,
        exit => exit,
    }
}

/// Calls the handler for Ctrl-C and for what Slurm, Kubernetes and `timeout` send. Should that not be possible, they
/// kill, which is what they would do anyway.
#[cfg(unix)]
fn on_signal(mut handler: impl FnMut(Exit) + Send + 'static) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            handler(if signal == SIGTERM { Exit::Terminated } else { Exit::Interrupted });
        }
    });
}

/// Calls the handler for Ctrl-C.
#[cfg(not(unix))]
fn on_signal(mut handler: impl FnMut(Exit) + Send + 'static) {
    let _ = ctrlc::set_handler(move || handler(Exit::Interrupted));
}
