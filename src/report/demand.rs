//! Requests to models as plots in a terminal.

use super::canvas::Canvas;
use super::inspect::{Inspection, JOBS, MARGIN, heading, left_label, listed, minute, notes, real, whole};
use super::number::{counted, grouped, significant};
use super::table;
use crate::metrics::{DemandProfile, TokenCounts};
use crate::units::Seconds;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Sparkline, Widget};

/// What is drawn, and how wide.
#[derive(Debug, Clone, Copy)]
pub struct DemandInspection<'a> {
    /// What is looked at: a file and its format, say.
    pub title: &'a str,
    /// Its numbers; best with as many buckets as [`Inspection::buckets`] says.
    pub profile: &'a DemandProfile,
    /// What the reader changed, one sentence each.
    pub notes: &'a [String],
    /// Columns of the terminal.
    pub width: u16,
    /// Whether escape sequences may be written.
    pub colour: bool,
}

impl DemandInspection<'_> {
    /// The plots, each line ending where its text does.
    #[must_use]
    pub fn render(&self) -> String {
        let mut canvas = Canvas::new(Inspection::drawn(self.width), self.colour);
        let profile = self.profile;
        canvas.prose(self.title, Style::new().bold());
        let mut facts = vec![
            counted(profile.requests, "request"),
            format!("within {}", seconds(profile.span_ms)),
            format!("{} a second", significant(profile.rate())),
            format!("gaps vary by {} of their mean", significant(profile.gap_variation)),
        ];
        facts.extend(profile.epoch_ms.map(|epoch| {
            let seconds = i64::try_from(epoch / 1000).unwrap_or(i64::MAX);
            format!("from {}", minute(seconds, 0))
        }));
        listed(&mut canvas, &facts);
        self.arrivals(&mut canvas);
        let mut text = canvas.finish();
        text.push('\n');
        text.push_str(&self.tokens());
        let mut canvas = Canvas::new(Inspection::drawn(self.width), self.colour);
        notes(&mut canvas, self.notes);
        text.push_str(&canvas.finish());
        text
    }

    fn arrivals(&self, canvas: &mut Canvas) {
        let arrivals = &self.profile.arrivals;
        let bucket = real(self.profile.span_ms) / 1000.0 / real(arrivals.len().max(1) as u64);
        heading(canvas, &format!("Arrivals: requests in each {} s", significant(bucket)));
        let peak = arrivals.iter().copied().max().unwrap_or(0);
        canvas.draw(4, |area, buffer| {
            left_label(buffer, 0, &grouped(peak));
            let plot = Rect { x: MARGIN, width: area.width - MARGIN, ..area };
            Sparkline::default().data(arrivals.iter().copied()).style(JOBS).render(plot, buffer);
        });
    }

    fn tokens(&self) -> String {
        let header = ["Tokens", "mean", "p50", "p95", "p99", "max", "sum"];
        let mut table = table::new(Inspection::drawn(self.width), header);
        let profile = self.profile;
        let mut row = |what: &str, counts: &TokenCounts| {
            let each = counts.each;
            let ranks = [each.p50, each.p95, each.p99, each.max].map(|tokens| grouped(u64::from(tokens)));
            let mut cells = vec![what.to_owned(), grouped(whole(each.mean))];
            cells.extend(ranks);
            cells.push(grouped(counts.sum));
            table.add_row(cells);
        };
        row("input", &profile.input);
        if profile.cached.sum > 0 {
            row("of it cached", &profile.cached);
        }
        row("output", &profile.output);
        table::right(&mut table, 1..header.len());
        table::text(&mut table)
    }
}

fn seconds(milliseconds: u64) -> Seconds {
    Seconds(u32::try_from(milliseconds / 1000).unwrap_or(u32::MAX))
}
