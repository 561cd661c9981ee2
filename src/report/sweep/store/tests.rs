use super::*;
use std::path::Path;

const HEADER: &str = "run,seed\n";

fn open(path: &Path, shard: Shard, manifest: &str, resume: bool) -> Result<Store> {
    Store::open(Directory::create(path).unwrap(), shard, manifest, HEADER.to_owned(), resume)
}

fn row(run: u64) -> String {
    format!("{run},{}\n", run * 7)
}

/// What the sweep of ten runs comes to.
fn expected() -> String {
    HEADER.to_owned() + &(0..10).map(row).collect::<String>()
}

/// Adds what is missing, in some order, up to `most` rows.
fn go_on(path: &Path, shard: Shard, most: usize) {
    let mut store = open(path, shard, "m", true).unwrap();
    let missing: Vec<u64> = (0..10).rev().filter(|run| shard.has(*run) && !store.has(*run)).collect();
    for run in missing.iter().take(most) {
        store.add(*run, row(*run)).unwrap();
    }
    if missing.len() <= most {
        store.finish(shard, &[]).unwrap();
    }
}

#[test]
fn the_same_bytes_come_of_any_kill_point() {
    for killed in 0..10 {
        for torn in ["", "3", "3,2", "garbage"] {
            let place = tempfile::tempdir().unwrap();
            go_on(place.path(), Shard::WHOLE, killed);
            let partial = place.path().join("runs.csv.partial");
            let mut file = OpenOptions::new().append(true).open(&partial).unwrap();
            file.write_all(torn.as_bytes()).unwrap();
            drop(file);
            go_on(place.path(), Shard::WHOLE, 2);
            go_on(place.path(), Shard::WHOLE, 10);
            let text = std::fs::read_to_string(place.path().join("runs.csv")).unwrap();
            assert_eq!(text, expected(), "killed after {killed} rows and {torn:?}");
            assert!(!partial.exists(), "nothing is left of the way there");
        }
    }
}

#[test]
fn shards_merge_whatever_their_number_and_gaps_are_filled() {
    for of in 2..5 {
        let place = tempfile::tempdir().unwrap();
        // The last one is missing, the one before it was cut off.
        for number in 1..of {
            go_on(place.path(), Shard { number, of }, if number + 1 == of { 1 } else { 10 });
        }
        go_on(place.path(), Shard::WHOLE, 10);
        let text = std::fs::read_to_string(place.path().join("runs.csv")).unwrap();
        assert_eq!(text, expected(), "{of} shards");
    }
}

#[test]
fn rows_told_twice_are_counted_and_those_told_in_two_ways_refused() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("runs-1-of-2.csv"), expected()).unwrap();
    std::fs::write(place.path().join("runs-2-of-2.csv"), expected()).unwrap();
    assert_eq!(open(place.path(), Shard::WHOLE, "m", true).unwrap().repeated(), 10, "ten twice");
    std::fs::write(place.path().join("runs-2-of-2.csv"), "run,seed\n3,22\n").unwrap();
    let said = open(place.path(), Shard::WHOLE, "m", true).unwrap_err().to_string();
    assert!(said.contains("run 3 is told in two ways") && said.contains("runs-2-of-2.csv:2"), "{said}");
    std::fs::write(place.path().join("runs-2-of-2.csv"), "run,seed\nx,22\n").unwrap();
    let said = open(place.path(), Shard::WHOLE, "m", true).unwrap_err().to_string();
    assert!(said.contains("expected the number of a run"), "{said}");
    std::fs::write(place.path().join("runs-2-of-2.csv"), "run,day\n3,22\n").unwrap();
    let said = open(place.path(), Shard::WHOLE, "m", true).unwrap_err().to_string();
    assert!(said.contains("rows of another sweep"), "{said}");
}

#[test]
fn sweeps_do_not_mix() {
    let place = tempfile::tempdir().unwrap();
    let first = open(place.path(), Shard::WHOLE, "one", false).unwrap();
    let said = open(place.path(), Shard::WHOLE, "two", true).unwrap_err().to_string();
    assert!(said.contains("another sweep is in this directory"), "{said}");
    let said = open(place.path(), Shard::WHOLE, "one", false).unwrap_err().to_string();
    assert!(said.contains("was begun before") && said.contains("`--resume`"), "{said}");
    let said = open(place.path(), Shard::WHOLE, "one", true).unwrap_err().to_string();
    assert!(said.contains("another process is making these runs"), "{said}");
    drop(first);
    assert!(open(place.path(), Shard::WHOLE, "one", true).is_ok(), "once it is gone");
    assert!(open(place.path(), Shard { number: 1, of: 2 }, "one", false).is_ok(), "beside another part");
}
