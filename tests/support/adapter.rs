//! The adapter that tests run shaders on.

use gigawatt::gpu::{Gpu, Wish};

/// The first adapter of this machine; none if there is none, unless one is required.
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
pub(crate) fn adapter() -> Option<Gpu> {
    match Gpu::open(&Wish::Gpu) {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            let required = std::env::var_os("GIGAWATT_REQUIRE_ADAPTER").is_some_and(|value| value == "1");
            assert!(!required, "an adapter is required: {error}");
            println!("skipped: no adapter");
            None
        }
    }
}
