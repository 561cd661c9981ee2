//! Two workloads beside each other, by quantiles.

use super::number::{grouped, significant};
use super::table;
use crate::metrics::{Ranks, Shape};
use crate::units::{Gpus, Seconds};

/// A workload and what to call it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// A file, say.
    pub title: &'a str,
    /// What it looks like.
    pub shape: &'a Shape,
}

/// How a number is shown.
type Shown = fn(u64) -> String;

/// A quantity: what it is called, where it stands, and how it is shown.
type Quantity = (&'static str, fn(&Shape) -> &Ranks, Shown);

/// The quantities that are compared by their ranks.
const QUANTITIES: [Quantity; 5] = [
    ("time between submits", |shape| &shape.gaps, span),
    ("jobs an hour", |shape| &shape.hours, grouped),
    ("GPUs of a gang", |shape| &shape.gangs, gpus),
    ("work time", |shape| &shape.work, span),
    ("requested / work", |shape| &shape.estimates, |milli| significant(real(milli) / 1000.0)),
];

/// The table: a line a number, of one workload, of the other, and the second over the first.
#[must_use]
pub fn contrast(first: Side<'_>, second: Side<'_>, width: u16) -> String {
    let mut table = table::new(width, ["", first.title, second.title, "ratio"]);
    let (a, b) = (first.shape, second.shape);
    let hours = |shape: &Shape| shape.gpu_milli_seconds / 3_600_000;
    let whole = [
        ("jobs", a.jobs, b.jobs, grouped as Shown),
        ("tenants", a.tenants, b.tenants, grouped),
        ("submitted within", a.span.into(), b.span.into(), span),
        ("GPU-hours", small(hours(a)), small(hours(b)), grouped),
    ];
    for (what, a, b, shown) in whole {
        table.add_row([what.to_owned(), shown(a), shown(b), over(real(b), real(a))]);
    }
    for (what, ranks, shown) in QUANTITIES {
        let (a, b) = (ranks(a), ranks(b));
        let rows =
            [("p10", a.p10, b.p10), ("p50", a.p50, b.p50), ("p90", a.p90, b.p90), ("p99", a.p99, b.p99)];
        for (rank, a, b) in rows {
            table.add_row([format!("{what}, {rank}"), shown(a), shown(b), over(real(b), real(a))]);
        }
        let mean = |mean: f64| shown(nearest(mean));
        table.add_row([format!("{what}, mean"), mean(a.mean), mean(b.mean), over(b.mean, a.mean)]);
    }
    table::right(&mut table, 1..4);
    table::rigid(&mut table, [0, 3]);
    table::text(&mut table)
}

fn span(seconds: u64) -> String {
    Seconds(u32::try_from(seconds).unwrap_or(u32::MAX)).to_string()
}

fn gpus(milli: u64) -> String {
    Gpus::from_milli(u32::try_from(milli).unwrap_or(u32::MAX)).to_string()
}

/// How many times the first number the second one is.
fn over(second: f64, first: f64) -> String {
    if first > 0.0 { significant(second / first) } else { "–".to_owned() }
}

fn small(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
const fn real(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, for display")]
fn nearest(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_shapes_stand_beside_each_other() {
        let ranks = |values: &[u64]| Ranks::of(values.to_vec());
        let shape = |factor: u64| Shape {
            jobs: 1000 * factor,
            tenants: 3,
            span: 86_400,
            gpu_milli_seconds: u128::from(factor) * 36_000_000_000,
            gaps: ranks(&[0, 60 / factor, 600]),
            hours: ranks(&[40 * factor]),
            gangs: ranks(&[500, 1000, 8000]),
            work: ranks(&[30, 3600, 90_000]),
            estimates: ranks(&[1000, 1500, 20_000]),
        };
        let (one, two) = (shape(1), shape(2));
        let text = contrast(Side { title: "a.csv", shape: &one }, Side { title: "b.csv", shape: &two }, 80);
        insta::assert_snapshot!(text, @"
                                     a.csv   b.csv  ratio
        ──────────────────────────────────────────────────
        jobs                         1,000   2,000   2.00
        tenants                          3       3   1.00
        submitted within             1d00h   1d00h   1.00
        GPU-hours                   10,000  20,000   2.00
        time between submits, p10       0s      0s      –
        time between submits, p50    1m00s     30s   0.50
        time between submits, p90   10m00s  10m00s   1.00
        time between submits, p99   10m00s  10m00s   1.00
        time between submits, mean   3m40s   3m30s   0.95
        jobs an hour, p10               40      80   2.00
        jobs an hour, p50               40      80   2.00
        jobs an hour, p90               40      80   2.00
        jobs an hour, p99               40      80   2.00
        jobs an hour, mean              40      80   2.00
        GPUs of a gang, p10            0.5     0.5   1.00
        GPUs of a gang, p50              1       1   1.00
        GPUs of a gang, p90              8       8   1.00
        GPUs of a gang, p99              8       8   1.00
        GPUs of a gang, mean         3.167   3.167   1.00
        work time, p10                 30s     30s   1.00
        work time, p50               1h00m   1h00m   1.00
        work time, p90               1d01h   1d01h   1.00
        work time, p99               1d01h   1d01h   1.00
        work time, mean              8h40m   8h40m   1.00
        requested / work, p10         1.00    1.00   1.00
        requested / work, p50         1.50    1.50   1.00
        requested / work, p90        20.00   20.00   1.00
        requested / work, p99        20.00   20.00   1.00
        requested / work, mean        7.50    7.50   1.00
        ");
    }
}
