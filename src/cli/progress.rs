use super::terminal::Terminal;
use crate::ensemble::Done;
use crate::simulation::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A bar on stderr that shows up only if somebody watches and the work takes a while.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    watched: bool,
}

/// Columns below which a bar is short and tells less, so that nothing is cut off.
const NARROW: u16 = 80;
/// Shorter work shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

impl Bar {
    /// A bar over `length` of something, whose name `template` tells.
    pub(super) fn new(terminal: Terminal, length: u64, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        let style =
            ProgressStyle::with_template(template).expect("the template is a constant of this program");
        bar.set_style(style.progress_chars("━╸ "));
        Self { bar, watched: terminal.watched }
    }
    /// A bar over the jobs of one run.
    pub(super) fn of_jobs(terminal: Terminal, jobs: u32) -> Self {
        let template = match terminal.width {
            NARROW.. => "  {bar:20.cyan} {percent:>3} %  {human_pos} of {human_len} jobs  {msg}  {eta} left",
            _ => "{bar:10.cyan} {percent:>3} %  {msg}  {eta} left",
        };
        Self::new(terminal, jobs.into(), template)
    }
    /// A bar over the jobs of all runs of a comparison.
    pub(super) fn of_runs(terminal: Terminal, jobs: u64) -> Self {
        let template = match terminal.width {
            NARROW.. => "  {bar:30.cyan} {percent:>3} %  {msg}  {eta} left",
            _ => "{bar:8.cyan} {percent:>3} %  {msg}  {eta} left",
        };
        Self::new(terminal, jobs, template)
    }
    /// A bar over the runs of a sweep.
    pub(super) fn of_sweep(terminal: Terminal, runs: u64) -> Self {
        let template = match terminal.width {
            NARROW.. => {
                "  {bar:20.cyan} {percent:>3} %  {human_pos} of {human_len} runs  {per_sec}  {eta} left"
            }
            _ => "{bar:8.cyan} {human_pos} of {human_len} runs  {eta} left",
        };
        Self::new(terminal, runs, template)
    }
    /// How long it has been there.
    pub(super) fn elapsed(&self) -> Duration {
        self.bar.elapsed()
    }
    /// `position` of the length is done.
    pub(super) fn at(&self, position: u64) {
        if !self.watched {
            return;
        }
        if self.bar.is_hidden() && self.bar.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(position);
    }
    /// A simulation has come so far.
    pub(super) fn simulated(&self, progress: Progress) {
        let day = f64::from(progress.now.0) / 86_400.0;
        if self.watched {
            self.bar.set_message(format!("day {day:.1}"));
        }
        self.at(progress.settled.into());
    }
    /// A comparison of so many runs has come so far.
    pub(super) fn compared(&self, done: Done, runs: usize) {
        if self.watched {
            self.bar.set_message(format!("{} of {runs} runs", done.runs));
        }
        self.at(done.settled);
    }
    /// Takes the bar away.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}
