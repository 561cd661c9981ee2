use super::*;
use crate::cluster::grid::{Battery, Demand, Signal};
use crate::units::{Seconds, Time, Watts};
use crate::workload::JobKind;
use std::path::Path;

const DATED: &str = "run.start = 2023-07-03\n";

/// A folder with a scenario and its prices, as loaded.
fn with_prices(prices: &str, scenario: &str) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prices.csv"), prices).unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, scenario).unwrap();
    let hidden = folder.path().display().to_string() + "/";
    Scenario::load(Path::new(&path), &Overrides::default())
        .map_err(|error| compact(&error.to_string()).replace(&hidden, ""))
}

#[test]
fn a_site_has_what_power_says_less_what_it_says_itself() {
    let text = format!(
        "{DATED}[[cluster.site]]\nname = \"texas\"\n[[cluster.site]]\nname = \"oslo\"\n\
         [[cluster.rack]]\nplatform = \"h100\"\nfeed = \"texas\"\n[[cluster.rack]]\nname = \"fjord\"\nplatform = \"h100\"\nfeed = \"oslo\"\n\
         [power]\ntariff = 40\ncarbon = \"369 g/kWh\"\ndemand = 12.5\n\
         [power.site.oslo]\ntariff = \"0.03 $/kWh\"\ndemand = {{ price = \"9 $/kW\", interval = \"1h\" }}\n\
         battery = {{ capacity = \"2 MWh\", power = \"500 kW\", threshold = \"1 MW\", efficiency = 0.9, charge = \"1 MWh\" }}\n{JOB}"
    );
    let cluster = load(&text).plan.cluster;
    let [texas, oslo] = &cluster.grids[..] else { panic!("two sites: {:?}", cluster.grids) };
    assert_eq!(texas.price, Some(Signal::Constant(40_000_000)), "of all");
    assert_eq!(oslo.price, Some(Signal::Constant(30_000_000)), "its own");
    assert_eq!((&texas.carbon, &oslo.carbon), (&Some(Signal::Constant(369_000)), &texas.carbon), "of both");
    assert_eq!(
        texas.demand,
        Some(Demand { price: 12_500_000, interval: Seconds(900) }),
        "quarters of an hour"
    );
    assert_eq!(oslo.demand, Some(Demand { price: 9_000_000, interval: Seconds(3600) }), "hours");
    let battery = Battery {
        capacity: 7_200_000_000,
        charge: 3_600_000_000,
        power: Watts(500_000),
        efficiency_ppm: 900_000,
        threshold: Watts(1_000_000),
    };
    assert_eq!((texas.battery, oslo.battery), (None, Some(battery)), "one site has a battery");
    let over = Overrides { set: vec!["power.site.oslo.tariff=-5".to_owned()], ..Overrides::default() };
    let set = Scenario::from_text("s.toml", &text, &over).unwrap().plan.cluster;
    assert_eq!(set.grids[1].price, Some(Signal::Constant(-5_000_000)), "from the command line");
    assert!(load(&format!("{CLUSTER}{JOB}")).plan.cluster.grids.is_empty(), "nothing is known");
}

#[test]
fn prices_by_the_hour_are_read_on_the_clock_of_the_site() {
    let text = format!(
        "{DATED}{CLUSTER}[power]\nzone = \"America/Chicago\"\n\
         tariff = {{ base = 30, rule = [{{ price = 90, hours = \"16-21\", days = \"mon-fri\", months = \"jun-sep\" }}] }}\n{JOB}"
    );
    let price = load(&text).plan.cluster.grids[0].price.clone().unwrap();
    // A Monday; 16:00 in Chicago is 21:00 UTC in summer.
    let hours: Vec<i64> = (19..24).map(|hour| price.at(Time(hour * 3600)) / 1_000_000).collect();
    assert_eq!(hours, [30, 30, 90, 90, 90], "from 21:00 UTC on");
    assert_eq!(price.at(Time(5 * 86_400 + 21 * 3600)), 30_000_000, "not on Saturday");
}

#[test]
fn a_recorded_series_is_laid_on_the_run() {
    let prices = "time,price\n2023-07-02 22:00:00,1\n2023-07-02 23:00:00,2\n2023-07-03 00:00:00,3\n2023-07-03 01:00:00,-4.5\n";
    let scenario = format!("{DATED}{CLUSTER}[power]\ntariff = {{ file = \"prices.csv\" }}\n{JOB}");
    let loaded = with_prices(prices, &scenario).unwrap();
    assert_eq!(loaded.inputs.len(), 2, "the prices are an input of the run");
    let price = loaded.plan.cluster.grids[0].price.clone().unwrap();
    assert_eq!(
        (price.at(Time(0)), price.at(Time(3600))),
        (3_000_000, -4_500_000),
        "from the date of second 0"
    );
    assert_eq!(price.known_until(), Time(7200), "two hours are left");
    let short = with_prices(
        prices,
        &scenario.replace("[power]", "[run]\nuntil = \"3h\"\n[power]").replace(DATED, ""),
    );
    insta::assert_snapshot!(short.unwrap_err(), @r"s.toml:5:19: a series with dates, and no date for second 0 (such as `run.start = 2023-01-01`)");
    let later = with_prices(prices, &scenario.replace("work = 60", "work = 60\nsubmit = \"3h\""));
    insta::assert_snapshot!(later.unwrap_err(), @r"s.toml:4:19: `prices.csv` ends 1h00m before the last job comes (`repeat = true` begins anew at its end; `run.start` is the date of second 0)");
    let again =
        scenario.replace("\" }", "\", repeat = true }").replace("work = 60", "work = 60\nsubmit = \"3h\"");
    let price = with_prices(prices, &again).unwrap().plan.cluster.grids[0].price.clone().unwrap();
    assert_eq!(
        (price.at(Time(7200)), price.at(Time(10_800))),
        (1_000_000, 2_000_000),
        "the first follows the last"
    );
    let early = with_prices(prices, &scenario.replace("07-03", "07-01"));
    insta::assert_snapshot!(early.unwrap_err(), @r"s.toml:4:19: `prices.csv` begins 1d22h after the run does (`repeat = true` begins anew at its end; `run.start` is the date of second 0)");
    let gap = with_prices(&prices.replace("2023-07-02 23:00:00,2\n", ""), &scenario);
    insta::assert_snapshot!(gap.unwrap_err(), @r"prices.csv:4:1: a step of 3600 s after steps of 7200 s (times follow each other at one step, which may change once in a while)");
}

#[test]
fn every_problem_of_power_is_told() {
    let power = "[power]\ntarif = 1\ntariff = \"40 EUR/MWh\"\ncarbon = { base = -1, rule = [{ hours = \"16\", day = \"mon\" }] }\n\
        demand = { price = -1, interval = \"7h\" }\nzone = \"Mars/Olympus\"\n\
        battery = { capacity = \"0 kWh\", power = 5.5, efficiency = 1.5, threshold = \"1 MW\", charge = 7 }\n\
        [power.site.siet]\ntariff = { file = \"none.csv\", colum = \"x\" }\n";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{power}{JOB}")), @r"
    s.toml:3:1: unknown key `tarif` (did you mean `tariff`?)
    s.toml:4:10: `tariff`: expected a price such as `42.5` or `42.5 $/MWh`, or `0.0425 $/kWh`, up to a million $/MWh, found the text `40 EUR/MWh`
    s.toml:5:19: `base`: expected a carbon intensity such as `369` or `369 g/kWh`, from 0 to a million, found `-1`
    s.toml:5:31: missing `intensity`
    s.toml:5:41: `hours`: expected hours such as `16-21` (from 16:00 to 21:00) or `22-6;12-13`, found the text `16`
    s.toml:5:47: unknown key `day` (did you mean `days`?)
    s.toml:6:20: `price`: expected a price a month such as `12.5` or `12.5 $/kW`, from 0 to a million, found `-1`
    s.toml:6:35: a day is not a number of intervals of 25200 s (such as `15m` or `1h`)
    s.toml:7:8: unknown time zone `Mars/Olympus` (such as `America/Chicago` or `UTC`)
    s.toml:8:41: `power`: expected a power such as `120 kW` or `1.5 MW`, or a whole number of watts, found `5.5`
    s.toml:8:59: `efficiency`: expected a share above 0 and at most 1, such as `0.85`, found `1.5`
    s.toml:8:93: `charge`: expected an energy such as `500 kWh`, `100 MWh`, `1.2 GWh` or `360 GJ`, found `7`
    s.toml:9:13: unknown site `siet` (did you mean `site`?)
    s.toml:10:19: cannot read `none.csv`: No such file or directory (os error 2)
    s.toml:10:31: unknown key `colum` (did you mean `column`?)
    ");
    let undated = "[power]\ntariff = { base = 1 }\ndemand = 5\n";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{undated}{JOB}")), @r"
    s.toml:3:10: prices by the hour of the day, and no date for second 0 (such as `run.start = 2023-01-01`)
    s.toml:4:10: a charge by the month, and no date for second 0 (such as `run.start = 2023-01-01`)
    ");
    insta::assert_snapshot!(told(&format!("run.start = \"noon\"\n{CLUSTER}{JOB}")), @r"s.toml:1:13: `start`: expected a date such as `2023-01-01` or `2023-01-01 18:00:00+01:00`, from 1900 to 2299, found the text `noon`");
    let battery = "[power]\nbattery = { capacity = \"0 kWh\", power = 5, threshold = 0 }\n[power.site.site]\n\
        battery = { capacity = \"1 kWh\", power = 5, threshold = 0, charge = \"2 kWh\" }\n";
    insta::assert_snapshot!(told(&format!("{CLUSTER}{battery}{JOB}")), @r"
    s.toml:3:24: a battery that holds nothing
    s.toml:5:68: a charge beyond the capacity (without `charge` it is full at second 0)
    ");
    insta::assert_snapshot!(told(&format!("{CLUSTER}power = 7\n{JOB}")), @r"s.toml:2:9: `power`: expected a table, found `7`");
}

#[test]
fn who_may_be_held_back_is_said_by_job_tenant_or_kind() {
    let text = format!(
        "{CLUSTER}power.tariff = 40\n[[tenant]]\nname = \"t\"\nmax_delay = \"2h\"\n[policy]\nhold = \"cheapest-window\"\n\
         max_delay = {{ eval = \"4h\", batch-inference = \"1d\" }}\n{JOB}tenant = \"t\"\nmax_delay = \"30m\"\n"
    );
    let plan = load(&text).plan;
    assert_eq!(plan.settings.hold, "cheapest-window", "the policy");
    let day = (JobKind::BatchInference, Seconds(86_400));
    assert_eq!(plan.settings.defer, [(JobKind::Eval, Seconds(14_400)), day], "by kind");
    assert_eq!(plan.workload.tenants[0].max_delay, Some(Seconds(7200)), "of the tenant");
    assert_eq!(plan.workload.behaviours[0].max_delay, Some(Seconds(1800)), "of the job");
    let wrong = text.replace("eval =", "evil =").replace("\"30m\"", "\"soon\"");
    insta::assert_snapshot!(told(&wrong.replace("cheapest-window", "cheapest-windw")), @r"
    s.toml:7:8: unknown hold `cheapest-windw` (did you mean `cheapest-window`?)
    s.toml:8:15: unknown kind of jobs `evil` (did you mean `eval`?)
    s.toml:14:13: `max_delay`: expected a time such as `90s`, `45m`, `6h` or `2d`, or a whole number of seconds, found the text `soon`
    ");
    insta::assert_snapshot!(told(&text.replace("cheapest", "cleanest")), @r"s.toml:7:8: hold `cleanest-window`, and nothing to go by at any site (`[power]` says it: `tariff` for prices, `carbon` for what energy emits)");
    let parts = Overrides { policy: Some("sjf/easy/pack/none".to_owned()), ..Overrides::default() };
    let plan = Scenario::from_text("s.toml", &text, &parts).unwrap().plan;
    assert_eq!(plan.settings.hold, "none", "from the command line");
}

#[test]
fn a_ramp_is_watts_a_minute_at_a_feed_that_is_there() {
    let ramp = |feed: &str, limit: &str| {
        format!("{CLUSTER}[[power.ramp]]\nfeed = \"{feed}\"\nlimit = \"{limit}\"\n{JOB}")
    };
    let cluster = load(&ramp("feed", "1.5 MW/min")).plan.cluster;
    assert_eq!(cluster.ramps, [crate::cluster::Ramp { feed: 0, rise: Watts(1_500_000) }], "of the only feed");
    for (feed, limit, problem) in [
        ("fed", "1 MW/min", "unknown feed `fed` (did you mean `feed`?)"),
        ("feed", "1 MW", "expected a power a minute such as `100 kW/min`, found the text `1 MW`"),
        ("feed", "fast/min", "expected a power a minute"),
    ] {
        assert!(told(&ramp(feed, limit)).contains(problem), "{}", told(&ramp(feed, limit)));
    }
    let twice = ramp("feed", "1 MW/min")
        .replace(JOB, "[[power.ramp]]\nfeed = \"feed\"\nlimit = \"1 kW/min\"\n")
        + JOB;
    assert!(told(&twice).contains("feed `feed` has a ramp already"), "{}", told(&twice));
}

#[test]
fn the_weather_of_a_site_may_be_in_a_file() {
    let weather = "time,temp,wind\n2023-07-02 23:00:00,18.5,3\n2023-07-03 00:00:00,19,3\n2023-07-03 01:00:00,19.0,4\n\
        2023-07-03 02:00:00,-0.25,4\n2023-07-03 02:30:00,21,4\n2023-07-03 03:00:00,22,4\n2023-07-03 03:30:00,22,4\n";
    let scenario = format!(
        "{DATED}[[cluster.site]]\nname = \"oslo\"\noutdoor = {{ file = \"prices.csv\", column = \"temp\" }}\n\
         [[cluster.rack]]\nplatform = \"h100\"\n{JOB}"
    );
    let loaded = with_prices(weather, &scenario).unwrap();
    let (from, degrees): (Vec<u32>, Vec<i32>) =
        loaded.plan.cluster.sites[0].outdoor.iter().map(|(time, degrees)| (time.0, *degrees)).unzip();
    assert_eq!(from, [0, 7200, 9000, 10_800], "from the date of second 0, equal ones once");
    assert_eq!(degrees, [190, -3, 210, 220], "tenths of a degree");
    assert_eq!(loaded.inputs.len(), 2, "it is an input of the run");
    assert!(
        loaded.notes.iter().any(|note| note == "`prices.csv` changes its step: 1h00m, then 30m00s"),
        "{:?}",
        loaded.notes
    );
    let always = scenario.replace("{ file = \"prices.csv\", column = \"temp\" }", "-2.5");
    assert_eq!(
        with_prices(weather, &always).unwrap().plan.cluster.sites[0].outdoor,
        [(Time(0), -25)],
        "no file"
    );
    let again = scenario
        .replace("\"temp\" }", "\"temp\", repeat = true }")
        .replace(DATED, &format!("{DATED}run.until = \"1d\"\n"));
    let outdoor = with_prices(weather, &again).unwrap().plan.cluster.sites[0].outdoor.clone();
    assert_eq!(
        outdoor.last().map(|(time, _)| time.0 <= 86_400 && time.0 > 80_000),
        Some(true),
        "to the end: {outdoor:?}"
    );
    let wrong = with_prices(&weather.replace("-0.25", "400"), &scenario.replace("\"temp\"", "\"tmp\""));
    insta::assert_snapshot!(wrong.unwrap_err(), @"prices.csv:1:1: no column `tmp` (did you mean `temp`?)");
    let hot = with_prices(&weather.replace("-0.25", "400"), &scenario);
    let expected = "prices.csv:5:21: temp `400`";
    assert!(hot.as_ref().is_err_and(|told| told == expected), "{hot:?}");
    let undated = with_prices(weather, &scenario.replace(DATED, ""));
    let expected = "a series with dates, and no date for second 0 (such as `run.start = 2023-01-01`)";
    assert!(undated.as_ref().is_err_and(|told| told.ends_with(expected)), "{undated:?}");
}
