use super::*;
use crate::history::sample;
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
