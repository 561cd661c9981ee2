use super::arguments::Watch;
use super::progress::Bar;
use super::saved::Saved;
use super::terminal::Terminal;
use super::{Exit, interrupt, load, moment};
use crate::error::{Error, Place, Problem, Result};
use crate::history::History;
use crate::metrics::measure;
use crate::report::watch::{self, Film, Playing};
use crate::scenario::{Loaded, stops_nobody};
use crate::simulation::{Control, simulate};
use crate::units::Time;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Shows a run in the terminal as time goes on in it.
pub(super) fn run(arguments: &Watch, terminal: Terminal) -> Result<Exit> {
    if arguments.at.is_none() && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        let problem = Problem::new("there is no terminal to watch a run in");
        return Err(problem.hint("`--at 6h` prints one instant of it").into());
    }
    let (title, history) = source(arguments, terminal)?;
    let measured = measure(&history);
    let mut film = Film::new(title, &history, &measured);
    let Some(text) = &arguments.at else { return play(&mut film, arguments.speed, terminal) };
    let at = moment::instant(text, history.plan.workload.epoch)?;
    if at > film.end() {
        let found = format!(
            "expected an instant of the run, which ends after {}",
            Time(film.end().0).since(Time::ZERO)
        );
        return Err(Problem::new(found).at(Place::file(format!("--at {text}"))).into());
    }
    terminal.print(&watch::text(&mut film, at, terminal.width, terminal.colour))?;
    Ok(Exit::Done)
}

/// The run that is meant: one that is saved, or that of a scenario, which is simulated first.
fn source(arguments: &Watch, terminal: Terminal) -> Result<(String, History)> {
    if let Some(directory) = arguments.source.as_deref().filter(|path| path.is_dir()) {
        let mut changes = arguments.changes.words();
        changes.extend(arguments.policy.clone());
        if let Some(change) = changes.first() {
            let problem = Problem::new(format!("`{change}`: this run is over, nothing of it can be changed"));
            let hint = "give its scenario, which is then simulated again";
            return Err(problem.at(Place::file(directory.display().to_string())).hint(hint).into());
        }
        let saved = Saved::read(directory)?;
        return Ok((saved.title(), saved.history));
    }
    let overrides = arguments.changes.overrides(arguments.policy.as_deref());
    let Loaded { plan, name, notes, .. } = load::scenario(arguments.source.as_deref(), &overrides)?;
    terminal.notes(&notes);
    terminal.notes(stops_nobody(&plan.settings, &plan).as_slice());
    let title = format!("{name}: {}, seed {}", plan.settings.policy(), plan.settings.seed);
    let bar = Bar::of_jobs(terminal, plan.workload.len());
    let mut progress = |progress| bar.simulated(progress);
    let interrupted = Some(interrupt::listen(terminal));
    let mut control = Control { interrupted, progress: Some(&mut progress), ..Control::default() };
    let history = simulate(plan, &mut control);
    bar.done();
    Ok((title, history))
}

/// Time between two pictures.
const FRAME: Duration = Duration::from_millis(50);
/// How long a whole run takes, where nobody says how fast it goes.
const LENGTH: f64 = 60.0;

fn play(film: &mut Film<'_>, speed: Option<f64>, terminal: Terminal) -> Result<Exit> {
    let interrupted = interrupt::listen(terminal);
    let failed = |source| Error::io("draw on", Path::new("the terminal"), source);
    // From here on a panic, too, leaves the terminal as it was.
    let mut screen = ratatui::try_init().map_err(failed)?;
    let shown = show(&mut screen, film, Player::new(film, speed), interrupted);
    ratatui::restore();
    shown.map_err(failed)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the picture moves with the clock; nothing of the run depends on it"
)]
fn show(
    screen: &mut DefaultTerminal,
    film: &mut Film<'_>,
    mut player: Player,
    interrupted: &AtomicBool,
) -> io::Result<Exit> {
    let mut scene = film.scene(player.now());
    let mut last = Instant::now();
    loop {
        if scene.now() != player.now() {
            scene = film.scene(player.now());
        }
        let playing = Some(Playing { speed: player.speed, paused: player.paused });
        screen.draw(|frame| watch::draw(film, &scene, playing, frame.area(), frame.buffer_mut()))?;
        if event::poll(FRAME)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release && player.press(key, film) => {
                    return Ok(Exit::Done);
                }
                _ => {}
            }
        }
        if interrupted.load(Ordering::Relaxed) {
            return Ok(Exit::Unfinished);
        }
        player.pass(last.elapsed(), film.end());
        last = Instant::now();
    }
}

/// Where a film is, and how it goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Player {
    /// Seconds of the run, and parts of one.
    at: f64,
    speed: f64,
    paused: bool,
}

impl Player {
    fn new(film: &Film<'_>, speed: Option<f64>) -> Self {
        let speed = speed.unwrap_or_else(|| (f64::from(film.end().0) / LENGTH).max(1.0));
        Self { at: 0.0, speed, paused: false }
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within a run")]
    const fn now(&self) -> Time {
        Time(self.at as u32)
    }
    /// So much time passes in front of the screen.
    fn pass(&mut self, time: Duration, end: Time) {
        if !self.paused {
            self.at = self.speed.mul_add(time.as_secs_f64(), self.at).min(end.0.into());
        }
    }
    /// Whether a key ends it.
    fn press(&mut self, key: KeyEvent, film: &Film<'_>) -> bool {
        let end = f64::from(film.end().0);
        let step = end / if key.modifiers.contains(KeyModifiers::SHIFT) { 10.0 } else { 100.0 };
        let stop_at = |time: Time| (f64::from(time.0), true);
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return true,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return true,
            KeyCode::Char(' ') => self.paused = !self.paused,
            KeyCode::Char('+' | '=') | KeyCode::Up => self.speed = (self.speed * 2.0).min(1e7),
            KeyCode::Char('-') | KeyCode::Down => self.speed = (self.speed / 2.0).max(0.125),
            KeyCode::Right => self.at = (self.at + step).min(end),
            KeyCode::Left => self.at = (self.at - step).max(0.0),
            KeyCode::Home => self.at = 0.0,
            KeyCode::End => self.at = end,
            KeyCode::Char('n') => {
                (self.at, self.paused) = film.next(self.now()).map_or((end, true), stop_at);
            }
            KeyCode::Char('p') => {
                (self.at, self.paused) = film.before(self.now()).map_or((0.0, true), stop_at);
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;

    #[test]
    fn keys_stop_time_and_move_it_within_the_run() {
        let history = sample::random(3);
        let measured = measure(&history);
        let film = Film::new("sample".to_owned(), &history, &measured);
        let end = f64::from(film.end().0);
        let mut player = Player::new(&film, Some(10.0));
        let press = |player: &mut Player, code| {
            assert!(
                !player.press(KeyEvent::new(code, KeyModifiers::NONE), &film),
                "{code:?} does not end it"
            );
        };
        player.pass(Duration::from_millis(500), film.end());
        assert!((player.at - 5.0_f64.min(end)).abs() < 1e-9, "ten seconds in one");
        press(&mut player, KeyCode::Char(' '));
        let before = player;
        player.pass(Duration::from_secs(9), film.end());
        assert_eq!(player, before, "time stands still");
        press(&mut player, KeyCode::End);
        press(&mut player, KeyCode::Right);
        assert!((player.at - end).abs() < 1e-9, "not beyond the end");
        press(&mut player, KeyCode::Home);
        press(&mut player, KeyCode::Left);
        assert!(player.at.abs() < 1e-9, "nor before the start");
        press(&mut player, KeyCode::Char('n'));
        let first = player.now();
        press(&mut player, KeyCode::Char('n'));
        press(&mut player, KeyCode::Char('p'));
        assert_eq!(player.now(), first, "to the event after, and back");
        assert!(player.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL), &film), "the end");
    }
}
