//! Widgets of ratatui as text: drawn into a buffer, printed line by line.

use super::lines::wrapped;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

/// Text that grows downwards, as wide as the terminal.
#[derive(Debug)]
pub(super) struct Canvas {
    width: u16,
    colour: bool,
    text: String,
}

impl Canvas {
    /// Nothing yet; `colour` tells whether escape sequences are wanted.
    pub(super) const fn new(width: u16, colour: bool) -> Self {
        Self { width, colour, text: String::new() }
    }
    /// How many columns there are.
    pub(super) const fn width(&self) -> u16 {
        self.width
    }
    /// Adds an empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }
    /// Adds one line of text.
    pub(super) fn line<'a>(&mut self, line: impl Into<Line<'a>>) {
        let line = line.into();
        self.draw(1, |area, buffer| line.render(area, buffer));
    }
    /// Adds a text in as many lines as it takes.
    pub(super) fn prose(&mut self, text: &str, style: Style) {
        for line in wrapped(text, usize::from(self.width)) {
            self.line(Span::styled(line, style));
        }
    }
    /// Adds `height` lines that `draw` fills.
    pub(super) fn draw(&mut self, height: u16, draw: impl FnOnce(Rect, &mut Buffer)) {
        let area = Rect::new(0, 0, self.width, height);
        let mut buffer = Buffer::empty(area);
        draw(area, &mut buffer);
        for y in 0..height {
            self.push_row(&buffer, y);
        }
    }
    /// The text so far.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn push_row(&mut self, buffer: &Buffer, y: u16) {
        let is_blank = |x: &u16| buffer[(*x, y)].symbol() == " ";
        let length = (0..self.width).rev().find(|x| !is_blank(x)).map_or(0, |x| x + 1);
        let mut style = Style::reset();
        for x in 0..length {
            let cell = &buffer[(x, y)];
            let wanted = cell.style();
            if self.colour && cell.symbol() != " " && wanted != style {
                self.text.push_str(&escape(wanted));
                style = wanted;
            }
            self.text.push_str(cell.symbol());
        }
        if self.colour && length > 0 {
            self.text.push_str("\x1b[0m");
        }
        self.text.push('\n');
    }
}

/// The escape sequence that begins a style, from any other.
fn escape(style: Style) -> String {
    let mut codes = String::from("\x1b[0");
    for (modifier, code) in [(Modifier::BOLD, ";1"), (Modifier::DIM, ";2")] {
        if style.add_modifier.contains(modifier) {
            codes.push_str(code);
        }
    }
    codes.push_str(match style.fg {
        Some(Color::Red) => ";31",
        Some(Color::Green) => ";32",
        Some(Color::Yellow) => ";33",
        Some(Color::Blue) => ";34",
        Some(Color::Magenta) => ";35",
        Some(Color::Cyan) => ";36",
        _ => "",
    });
    codes.push('m');
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_their_text_does() {
        let mut canvas = Canvas::new(20, false);
        canvas.line("ab");
        canvas.gap();
        canvas.line(Line::from("right").right_aligned());
        assert_eq!(canvas.finish(), "ab\n\n               right\n", "no blanks at the end");
    }

    #[test]
    fn colours_are_written_only_when_asked_for() {
        let line = || Line::from(vec![Span::raw("a "), Span::styled("b", Color::Cyan)]);
        let mut plain = Canvas::new(9, false);
        plain.line(line());
        assert_eq!(plain.finish(), "a b\n", "plain");
        let mut coloured = Canvas::new(9, true);
        coloured.line(line());
        assert_eq!(coloured.finish(), "\u{1b}[0ma \u{1b}[0;36mb\u{1b}[0m\n", "coloured");
    }
}
