//! What the words of a summary mean.

/// A word that a summary shows, and what it says.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// As the summary shows it.
    pub name: &'static str,
    /// What stands behind it, with the formula.
    pub about: &'static str,
}

const fn label(name: &'static str, about: &'static str) -> Label {
    Label { name, about }
}

/// Every word, in the order shown.
pub const LABELS: &[Label] = &[
    label(
        "Jobs",
        "those submitted in the window that counts, by how they ended; left: neither ended nor given up",
    ),
    label("Wait", "seconds in which a job is eligible and not running; of unfinished jobs the wait so far"),
    label("Recorded wait", "how long the same jobs waited where the trace comes from"),
    label("Simulated wait", "the wait here of the jobs whose wait was recorded"),
    label("Turnaround", "finish - submit, of jobs that completed, failed or timed out"),
    label("Slowdown", "(wait + run) / max(run, 10 s), at least 1, of the same jobs"),
    label("mean", "the sum of all values / how many there are"),
    label("p50, p95, p99", "50, 95, 99 of a hundred jobs have at most this: the value of nearest rank"),
    label("max", "the largest value"),
    label("Packed", "the most GPUs held at once / GPUs there were, where jobs are offered once (`pack`)"),
    label("Utilization", "GPU-hours held / GPU-hours of nodes up or draining, and over time"),
    label("Platforms", "the utilization of the GPUs of each platform, where there are several"),
    label("Goodput", "GPU-hours that did work which counts / GPU-hours of nodes up or draining"),
    label(
        "lost",
        "GPU-hours held that came to nothing, by cause: stopped by a policy (preempted) or by a broken node (node-down) after the last checkpoint, held during restarts, stalled until a failure was seen (detection) or a checkpoint was written, of jobs that failed or ran out of time (timeout)",
    ),
    label(
        "Free GPUs",
        "of the GPU-hours nobody held, the part on nodes, and in racks, of which some was held",
    ),
    label("Site draw", "at the grid connections of all sites: racks, losses of conversion, cooling"),
    label(
        "IT draw",
        "of all racks, before losses of conversion and cooling: what caps of halls and rows are mostly about",
    ),
    label("load factor", "mean draw / peak draw"),
    label("ramp", "the largest change of the mean draw from one minute to the next"),
    label(
        "Energy",
        "∫ site draw dt, and what it went to: jobs, idle nodes, overhead of racks, losses, cooling",
    ),
    label("Over caps", "∫ draw above caps dt, of sites, feeds, racks and nodes"),
    label(
        "Stranded",
        "cap - peak draw of the site or feed that came closest to its cap: set aside for it and never used",
    ),
    label("Per MWh", "GPU-hours held, and GPU-hours of work on reference GPUs of completed jobs, / energy"),
    label("Cost", "of energy, ∫ price x draw from the grid, and of the highest readings"),
    label("Carbon", "CO2 equivalent of the energy from the grid"),
    label("Batteries", "energy that they gave to and took from the sites"),
    label("Stops", "times that a policy, or a broken node, stopped a job"),
    label(
        "Failures",
        "parts that failed, the time that counts / failures, and how long from being seen to being repaired",
    ),
    label("Interruptions", "times that a failure, or a planned change of nodes, stopped a job"),
    label(
        "Effective time",
        "seconds of work that was kept, checkpoints being written aside / seconds from first start to end, of all jobs, by GPUs asked for (ETTR)",
    ),
    label(
        "Availability",
        "node-seconds up or draining / those of nodes not absent as planned; the same of racks",
    ),
    label(
        "Of capacity",
        "what became of all GPU-hours of nodes not absent as planned: down, free (though waiting jobs asked for as many, or on nodes that drain), lost by cause, useful",
    ),
    label("Ended", "jobs of the tenant that completed, failed or timed out"),
    label("GPU-hours", "GPUs held x time"),
    label("Share", "GPU-hours of the tenant / those of all tenants"),
    label(
        "Entitled",
        "its own (its quota, or its part of what is nominal of its queues) / that of all tenants, or an equal part where \
         not every tenant with a job has a quota or a queue",
    ),
    label("Job graphs", "those of which every job completed"),
    label("Slowest", "the graph that took longest from its first submit to its last finish"),
    label(
        "Critical path",
        "the longest chain of jobs by work and delays, and how many times that the graph took",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::measure;
    use crate::report::run::Run;
    use crate::report::run::tests::{powered, provenance, told};

    /// The words that begin the lines of a summary, and head its tables.
    fn words(text: &str) -> Vec<&str> {
        let label = |line: &&str| line.as_bytes().get(14) == Some(&b' ') && line.as_bytes()[13] == b' ';
        let lines = text.lines().filter(|line| line.is_ascii() || line.starts_with("Utilization"));
        let labels = lines.filter(label).filter_map(|line| line.get(..15)).map(str::trim);
        labels.filter(|label| label.starts_with(|first: char| first.is_ascii_uppercase())).collect()
    }

    #[test]
    fn every_word_of_a_summary_is_defined() {
        let history = powered();
        let (measured, provenance) = (measure(&history), provenance("night.toml"));
        let text = told(&Run::new(&history, &measured, &provenance), None);
        let defined = |word: &str| LABELS.iter().any(|label| label.name == word);
        let shown = words(&text);
        assert!(shown.contains(&"Stranded") && shown.contains(&"IT draw") && shown.len() > 10, "{shown:?}");
        for word in shown.into_iter().chain(["Ended", "GPU-hours", "Share"]) {
            let is_command =
                word == "Look further" || history.plan.workload.tenants.iter().any(|own| own.name == word);
            assert!(is_command || defined(word), "`{word}` is not defined");
            assert!(text.contains(word), "`{word}` is shown");
        }
        assert!(!defined("Strandet"), "it would be noticed");
        let history = sample::failing();
        let measured = measure(&history);
        let text = told(&Run::new(&history, &measured, &provenance), None);
        for word in ["Failures", "Interruptions", "Effective time", "Availability", "Of capacity"] {
            assert!(defined(word) && text.lines().any(|line| line.starts_with(word)), "{word}:\n{text}");
        }
    }
}
