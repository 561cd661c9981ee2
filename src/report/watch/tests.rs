use super::*;
use crate::history::{WaitReason, sample};
use crate::metrics::measure;
use crate::units::Time;

fn film(history: &crate::history::History) -> Film<'_> {
    Film::new("sample".to_owned(), history, &measure(history))
}

#[test]
fn what_a_scene_holds_is_what_runs_at_its_instant() {
    for seed in 0..30 {
        let history = sample::random(seed);
        let mut film = film(&history);
        // Forward and back again: a scene does not depend on the one before.
        let end = history.end.0;
        for now in [end / 3, end / 2, end / 4, end, 0].map(Time) {
            let scene = film.scene(now);
            let runs = history.segments.iter().filter(|own| own.from <= now && now < own.to);
            let expected: u64 = runs.map(|own| history.gpus_of(own)).sum();
            assert_eq!(scene.held_milli, expected, "seed {seed} at {}", now.0);
            assert_eq!(scene.tenants.iter().map(|own| own.milli).sum::<u64>(), expected, "by tenant");
            let waiting: u32 = scene.tenants.iter().map(|own| own.waiting).sum();
            assert_eq!(waiting as usize, scene.queue.len(), "every job that waits has a tenant");
            assert!(film.happened(&scene).all(|(time, _)| time <= now), "nothing of the future");
        }
    }
}

#[test]
fn an_instant_is_drawn_in_whatever_room_there_is() {
    let history = sample::random(7);
    let mut film = film(&history);
    let scene = film.scene(Time(history.end.0 / 2));
    for (width, height) in [(1, 1), (20, 5), (40, 12), (80, 24), (200, 60), (300, 3)] {
        for playing in [None, Some(Playing { speed: 60.0, paused: true })] {
            let area = Rect::new(0, 0, width, height);
            let mut buffer = Buffer::empty(area);
            draw(&film, &scene, playing, area, &mut buffer);
        }
    }
}

#[test]
fn a_picture_names_tenants_jobs_and_reasons() {
    let history = sample::random(7);
    let mut film = film(&history);
    let busiest = (0..history.end.0).max_by_key(|now| film.scene(Time(*now)).queue.len()).unwrap_or_default();
    let scene = film.scene(Time(busiest));
    let text = text(&mut film, Time(busiest), 120, false);
    assert!(scene.queue.is_empty() || text.contains(scene.queue[0].reason.name()), "{text}");
    for tenant in film.tenants() {
        assert!(text.contains(&tenant.name), "{} is named:\n{text}", tenant.name);
    }
    assert!(text.lines().all(|line| line.chars().count() <= 120), "as wide as asked for");
}

/// What is in a buffer, line by line.
fn text_of(buffer: &Buffer) -> Vec<String> {
    let line = |y: u16| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| line(y).trim_end().to_owned()).collect()
}

/// What `and 3 more` says, if it is there.
fn more(lines: &[String]) -> usize {
    let said = lines.iter().find_map(|line| line.split_once("and ")?.1.split_once(" more"));
    said.map_or(0, |(count, _)| count.parse().expect("a count"))
}

/// The terminals that people have, from a corner of one to a whole screen.
const SIZES: [(u16, u16); 8] =
    [(40, 15), (40, 20), (60, 20), (80, 24), (100, 30), (120, 40), (160, 15), (200, 50)];

#[test]
fn every_key_is_told_in_every_terminal() {
    for (width, height) in SIZES {
        let (history, area) = (sample::random(7), Rect::new(0, 0, width, height));
        let mut film = film(&history);
        let scene = film.scene(Time(history.end.0 / 2));
        let mut buffer = Buffer::empty(area);
        draw(&film, &scene, Some(Playing { speed: 60.0, paused: true }), area, &mut buffer);
        let lines = text_of(&buffer);
        let text = lines.join("\n");
        for key in panels::KEYS {
            assert!(text.contains(key), "{width}x{height}: {key} in\n{text}");
        }
        assert!(
            lines[usize::from(height) - panels::keys(width).len()].starts_with("q quit"),
            "first\n{text}"
        );
        for panel in ["Racks", "Tenants", "Waiting", "paused", "GPUs"] {
            assert!(text.contains(panel), "{width}x{height}: {panel} in\n{text}");
        }
    }
}

#[test]
fn what_a_panel_has_no_room_for_is_counted() {
    let mut left_out = [0, 0];
    for seed in 0..20 {
        let history = sample::random(seed);
        let mut film = film(&history);
        let queue = |now: &u32| film.scene(Time(*now)).queue.len();
        let busiest = (0..history.end.0).max_by_key(queue).unwrap_or_default();
        let scene = film.scene(Time(busiest));
        for (width, height) in
            (30..130).step_by(7).flat_map(|width| (3..16).map(move |height| (width, height)))
        {
            let area = Rect::new(0, 0, width, height);
            let panel = |draw: fn(&Film<'_>, &Scene, Rect, &mut Buffer)| {
                let mut buffer = Buffer::empty(area);
                draw(&film, &scene, area, &mut buffer);
                text_of(&buffer)
            };
            let at = format!("seed {seed}, {width}x{height}");
            let lines = panel(panels::tenants);
            let told = lines.iter().filter(|line| line.contains(" run,")).count();
            let text = lines.join("\n");
            assert_eq!(told + more(&lines), scene.tenants.len(), "{at}: tenants\n{text}");
            left_out[0] += more(&lines);
            let lines = panel(panels::waiting);
            // Of a job there are its GPUs and how long it waits, of a reason only how many wait for it.
            let is_job = |line: &&String| line.contains(" GPU") && !line.contains("Waiting:");
            let (told, text) = (lines.iter().filter(is_job).count(), lines.join("\n"));
            if told + more(&lines) > 0 {
                assert_eq!(told + more(&lines), scene.queue.len(), "{at}: jobs\n{text}");
            }
            left_out[1] += more(&lines);
            for reason in WaitReason::ALL {
                let waits = scene.queue.iter().any(|own| own.reason == reason);
                assert!(
                    !waits || height < 6 || text.contains(reason.name()),
                    "{at}: {}\n{text}",
                    reason.name()
                );
            }
        }
    }
    assert!(left_out.iter().all(|count| *count > 0), "in a small panel there is no room for all");
}
