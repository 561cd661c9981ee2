//! `workload.estimates`: what users are taken to request of the jobs of a trace.

use crate::document::{Document, Placed, Table};
use crate::error::{Error, Problem};
use crate::scenario::files::Files;
use crate::trace::{Options, Trace, read_bytes};
use crate::workload::generate::{Estimates, Factors};

/// What `estimates` asks for.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    Exact,
    /// Thousandths.
    Factor(u32),
    Like(Placed<String>),
}

const HINT: &str = "`exact`, `factor=2`, or `like=FILE` for those of another trace";

/// Reads `estimates`; the second says whether it is right.
pub(super) fn read(document: &Document, table: &mut Table<'_>) -> (Option<Wish>, bool) {
    let Some(text) = table.optional::<String>("estimates") else { return (None, !table.has("estimates")) };
    let wish = match text.value.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
        None if text.value.trim() == "exact" => Some(Wish::Exact),
        Some(("factor", factor)) => factor.parse().ok().and_then(thousandths).map(Wish::Factor),
        Some(("like", path)) if !path.is_empty() => {
            Some(Wish::Like(Placed { value: path.to_owned(), mark: text.mark }))
        }
        _ => None,
    };
    if wish.is_none() {
        let problem = Problem::new(format!("`estimates`: expected {HINT}, found `{}`", text.value));
        document.complain(text.mark, problem.hint("a factor is from 0.001 to 1000"));
    }
    let right = wish.is_some();
    (wish, right)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
fn thousandths(factor: f64) -> Option<u32> {
    (0.001..=1000.0).contains(&factor).then(|| (factor * 1000.0).round() as u32)
}

/// Gives the jobs of a trace the estimates asked for, and says so.
pub(super) fn give(wish: &Wish, document: &Document, files: &mut Files, seed: u64, trace: &mut Trace) {
    let (estimates, what) = match wish {
        Wish::Exact => (Estimates::Exact, "exact".to_owned()),
        Wish::Factor(milli) => {
            (Estimates::Factor(*milli), format!("{} times the work", f64::from(*milli) / 1000.0))
        }
        Wish::Like(path) => {
            let Some(factors) = factors(path, document, files) else { return };
            (Estimates::Like(factors), format!("like those of `{}`", path.value))
        }
    };
    trace.forget_estimates();
    let replaced = estimates.apply(&mut trace.workload.jobs, seed);
    let jobs = trace.workload.jobs.len() as u64;
    trace.notes.count("job", &format!("given an estimate, {what} (`estimates`)"), jobs);
    trace.notes.count("job", "whose own estimate that replaces", replaced);
}

/// How many times their work the jobs of a file request.
fn factors(path: &Placed<String>, document: &Document, files: &mut Files) -> Option<Factors> {
    let (resolved, bytes) = files.read(document, path)?;
    match read_bytes(&resolved.display().to_string(), &bytes, None, &Options::default()) {
        Ok(trace) => {
            let factors = Factors::of(&trace.workload);
            if factors.is_none() {
                let problem = Problem::new(format!("no job of `{}` tells an estimate", resolved.display()));
                document.complain(path.mark, problem.hint("each requests exactly its work"));
            }
            factors
        }
        Err(Error::Input(problems)) => {
            files.problems.append(problems);
            None
        }
        Err(other) => {
            document.complain(path.mark, Problem::new(other.to_string()));
            None
        }
    }
}
