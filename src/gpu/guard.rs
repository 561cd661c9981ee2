//! wgpu panics where a device vanishes under a wait; here that becomes a value.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is inside [`guarded`].
pub(super) fn is_on() -> bool {
    DEPTH.get() > 0
}

/// What `call` returns, or what it said when it panicked.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    DEPTH.set(DEPTH.get() + 1);
    // Whoever calls gives up the device after a panic, so nobody sees what it left half done.
    let result = catch_unwind(AssertUnwindSafe(call));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("the driver failed").to_owned()
    })
}
