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
use ratatui::style::Modifier;
use ratatui::widgets::{Paragraph, Widget};

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
    let keys = if playing.is_some() { panels::keys(area.width) } else { Vec::new() };
    let [head, body, foot] = Layout::vertical([
        Constraint::Length(panels::head_height(film, area.height)),
        Constraint::Min(0),
        Constraint::Length(u16::try_from(keys.len()).unwrap_or(u16::MAX)),
    ])
    .areas(area);
    panels::head(film, scene, playing, head, buffer);
    let [place, side] = if body.width >= WIDE {
        let halves = [Constraint::Percentage(55), Constraint::Percentage(45)];
        Layout::horizontal(halves).spacing(1).areas(body)
    } else {
        let wanted = racks::height(film, body.width).saturating_add(tenants_height(film));
        let most = (body.height / 2).max(LOW_PLACE.min(body.height * 2 / 3));
        Layout::vertical([Constraint::Length(wanted.min(most)), Constraint::Min(0)]).areas(body)
    };
    draw_place(film, scene, place, buffer);
    draw_queue(film, scene, side, buffer);
    Paragraph::new(keys.join("\n")).style(Modifier::DIM).render(foot, buffer);
}

/// Racks, and what tenants hold of them.
fn draw_place(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let spare = area.height.saturating_sub(racks::height(film, area.width));
    let tenants = tenants_height(film).min(spare.max(area.height / 2));
    let [map, held] = Layout::vertical([Constraint::Min(0), Constraint::Length(tenants)]).areas(area);
    racks::draw(film, scene, map, buffer);
    panels::tenants(film, scene, held, buffer);
}

/// Lines that the tenants take, with their title.
fn tenants_height(film: &Film<'_>) -> u16 {
    u16::try_from(film.tenants().len()).unwrap_or(u16::MAX).saturating_add(1)
}

/// What waits, and, where there is room for both, what happened last.
fn draw_queue(film: &Film<'_>, scene: &Scene, area: Rect, buffer: &mut Buffer) {
    if area.height < SHORT {
        return panels::waiting(film, scene, area, buffer);
    }
    let [waiting, happened] =
        Layout::vertical([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area);
    panels::waiting(film, scene, waiting, buffer);
    panels::happened(film, scene, happened, buffer);
}

/// Lines that queue and events need to stand below each other.
const SHORT: u16 = 7;
/// Lines of racks and tenants that a low terminal leaves them.
const LOW_PLACE: u16 = 6;
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
