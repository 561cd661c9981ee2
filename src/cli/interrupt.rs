use super::Exit;
use super::terminal::Terminal;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on the first Ctrl-C asks the run to end, and the second ends the program.
pub(super) fn listen(terminal: Terminal) -> &'static AtomicBool {
    let handler = move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Unfinished.code()));
        }
        // A thread of its own: should nobody read stderr, the second Ctrl-C must still be heard.
        std::thread::spawn(move || {
            terminal.say("interrupted: finishing up with what is done so far; Ctrl-C again to stop at once");
        });
    };
    // Without a handler Ctrl-C kills, which is what it would do anyway.
    let _ = ctrlc::set_handler(handler);
    &INTERRUPTED
}
