//! A run as a moving picture: racks, queue, draw, tenants and what happened last, at any instant of it.
//!
//! A [`Film`] is made of a history once; [`Film::scene`] is what there is at an instant, and [`draw`] puts that into a
//! buffer of any size, of a terminal that a person watches as well as of one that is printed once.

mod panels;
mod racks;
mod scene;
#[cfg(test)]
mod tests;

pub use scene::{Film, Scene};

use crate::report::canvas::Canvas;
use crate::units::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

/// How a film is being shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Playing {
    /// Seconds of the run that pass in one.
    pub speed: f64,
    /// Whether time stands still.
    pub paused: bool,
}

/// Draws an instant of a film, how it is being shown and which keys there are; without `playing`, the instant alone.
pub fn draw(film: &Film<'_>, scene: &Scene, playing: Option<Playing>, area: Rect, buffer: &mut Buffer) {
    let keys = u16::from(playing.is_some());
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(panels::HEAD), Constraint::Min(0), Constraint::Length(keys)])
            .areas(area);
    panels::head(film, scene, playing, head, buffer);
    let side = |area: Rect, buffer: &mut Buffer| {
        let [waiting, happened] =
            Layout::vertical([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area);
        panels::waiting(film, scene, waiting, buffer);
        panels::happened(film, scene, happened, buffer);
    };
    let place = |area: Rect, buffer: &mut Buffer| {
        let rows = u16::try_from(film.tenants().len()).unwrap_or(u16::MAX).saturating_add(2);
        let tenants = rows.min(area.height / 2);
        let [map, held] = Layout::vertical([Constraint::Min(0), Constraint::Length(tenants)]).areas(area);
        racks::draw(film, scene, map, buffer);
        panels::tenants(film, scene, held, buffer);
    };
    if body.width >= WIDE {
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(body);
        place(left, buffer);
        side(right, buffer);
    } else {
        let [above, below] =
            Layout::vertical([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(body);
        place(above, buffer);
        side(below, buffer);
    }
    if keys > 0 {
        panels::keys(foot, buffer);
    }
}

/// Columns from which on racks and queue stand side by side.
const WIDE: u16 = 96;
/// Lines of an instant that is printed.
const LINES: u16 = 40;

/// An instant as text, so many columns wide.
#[must_use]
pub fn text(film: &mut Film<'_>, now: Time, width: u16, colour: bool) -> String {
    let scene = film.scene(now);
    let mut canvas = Canvas::new(width.max(20), colour);
    canvas.draw(LINES, |area, buffer| draw(film, &scene, None, area, buffer));
    canvas.finish()
}
