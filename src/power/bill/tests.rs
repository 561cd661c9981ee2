use super::*;
use crate::cluster::grid::{Battery, Calendar, Months, Rule, Series, Signal, Weekdays};
use crate::power::battery::Steps;
use crate::random::{Purpose, Stream};

const KW: u64 = 1000;
const DOLLAR: i64 = 1_000_000;

fn steps(steps: &[(u32, u64)]) -> Steps {
    steps.iter().map(|(time, watts)| (Time(*time), Watts(*watts))).collect()
}

#[test]
fn a_bill_by_hand_with_a_price_below_zero() {
    // 40, -20 and 100 $/MWh by the hour; 1.5 MW for half an hour, then 4 MW, then nothing after 2:15.
    let values = [40, -20, 100].map(|dollars| dollars * DOLLAR).to_vec();
    let price = Series { offset: 0, step: Seconds(3600), values, repeats: false };
    let grid = Grid { price: Some(Signal::Series(price)), ..Grid::default() };
    let draw = steps(&[(0, 1500 * KW), (1800, 4000 * KW), (8100, 0)]);
    let bill = bill(&grid, &draw, Time(0)..Time(9000));
    // 0.75 + 2 MWh at 40, 4 MWh at -20, 1 MWh at 100: 110 - 80 + 100.
    assert_eq!(bill.energy, Money(130 * DOLLAR), "130 $");
    assert_eq!(bill.drawn, 3_600_000_000 * 775 / 100, "7.75 MWh");
    assert_eq!((bill.metered, bill.peak), (bill.drawn, Watts(4000 * KW)), "no battery");
    assert_eq!((bill.demand, bill.carbon, bill.beyond), (Money(0), 0, Seconds(0)), "nothing else is known");
    let late = super::bill(&grid, &draw, Time(0)..Time(12_600));
    assert_eq!(late.beyond, Seconds(1800), "the last price stood for half an hour more");
    // From 0:45 to 2:00: a quarter of an hour at 40, an hour at -20, both at 4 MW.
    let within = super::bill(&grid, &draw, Time(2700)..Time(7200));
    assert_eq!((within.energy, within.beyond), (Money(-40 * DOLLAR), Seconds(0)), "1 MWh at 40, 4 at -20");
    assert_eq!(within.metered, 5 * 3_600_000_000, "5 MWh");
}

#[test]
fn the_demand_charge_is_for_the_highest_quarter_of_an_hour_of_each_month() {
    // Second 0 is 2023-01-31 23:30 UTC.
    let grid = Grid {
        demand: Some(Demand { price: 10 * DOLLAR, interval: Seconds(900) }),
        clock: Some(Zone::utc(1_675_207_800)),
        ..Grid::default()
    };
    // Ten minutes of 9 MW are 6 MW over a quarter; in February five minutes end in one quarter and begin the next.
    let draw = steps(&[(0, 900 * KW), (960, 9000 * KW), (1560, 0), (2400, 3000 * KW), (3000, 600 * KW)]);
    let bill = bill(&grid, &draw, Time(0)..Time(7200));
    let by_month: Vec<(u32, u128, Money)> =
        bill.months.iter().map(|month| (month.from.0, month.joules / 900, month.charge)).collect();
    let january = (900, 6_060_000, Money(60_600 * DOLLAR));
    // 900 kW for a minute, 9 MW for ten and nothing for four; then 3 MW for five minutes of a quarter, and for five
    // of the next, which 600 kW fill up.
    let february = (2700, 1_400_000, Money(14_000 * DOLLAR));
    assert_eq!(by_month, [january, february], "one reading a month");
    assert_eq!(bill.demand, Money(74_600 * DOLLAR), "both are paid");
    // From minute 22, in January, to minute 39, in February: four minutes of 9 MW are 2.4 MW over a quarter, and what
    // came before the window is no part of it.
    let within = super::bill(&grid, &draw, Time(1320)..Time(2340));
    let by_month: Vec<(u32, u128)> =
        within.months.iter().map(|month| (month.from.0, month.joules / 900)).collect();
    assert_eq!(
        by_month,
        [(1320, 2_400_000), (1800, 0)],
        "as though the meter were read for the window alone"
    );
    let hourly = Grid { demand: Some(Demand { price: 10 * DOLLAR, interval: Seconds(3600) }), ..grid };
    assert!(
        super::bill(&hourly, &draw, Time(0)..Time(7200)).demand < bill.demand,
        "a longer interval sees less"
    );
}

#[test]
fn what_a_battery_saves_by_hand() {
    let battery = Battery {
        capacity: 1_800_000_000,
        charge: 1_800_000_000,
        power: Watts(1000 * KW),
        efficiency_ppm: 500_000,
        threshold: Watts(1000 * KW),
    };
    let plain = Grid {
        price: Some(Signal::Constant(50 * DOLLAR)),
        demand: Some(Demand { price: 10 * DOLLAR, interval: Seconds(900) }),
        clock: Some(Zone::utc(0)),
        ..Grid::default()
    };
    let grid = Grid { battery: Some(battery), ..plain.clone() };
    // Half a MWh above 1 MW from 1:00 to 1:30, then 1 MWh to charge it again at half its efficiency, 500 kW for 2 h.
    let draw = steps(&[(0, 1000 * KW), (3600, 2000 * KW), (5400, 500 * KW)]);
    let (with, without) =
        (bill(&grid, &draw, Time(0)..Time(14_400)), bill(&plain, &draw, Time(0)..Time(14_400)));
    assert_eq!((with.peak, without.peak), (Watts(1000 * KW), Watts(2000 * KW)), "shaved");
    assert_eq!(without.demand.0 - with.demand.0, 10_000 * DOLLAR, "1,000 kW less at 10 $/kW");
    assert_eq!(with.energy.0 - without.energy.0, 25 * DOLLAR, "half a MWh more is lost at 50 $/MWh");
    let used = BatteryUse { charged: 3_600_000_000, discharged: 1_800_000_000, left: 1_800_000_000 };
    assert_eq!(with.battery, Some(used), "full again");
    assert_eq!(with.metered - with.drawn, 1_800_000_000, "what is lost in between");
    // From 1:15 to 2:00 it gives a quarter of a MWh, and takes as much.
    let within = bill(&grid, &draw, Time(4500)..Time(7200));
    let used = BatteryUse { charged: 900_000_000, discharged: 900_000_000, left: 450_000_000 };
    assert_eq!(within.battery, Some(used), "what it did within");
    assert_eq!((within.peak, within.metered), (Watts(1000 * KW), within.drawn), "as much as it gave");
}

/// Money and carbon a second at a time, in whole joules, from the signals alone.
fn by_second(grid: &Grid, draw: &[(Time, Watts)], window: &Range<Time>) -> [i64; 2] {
    let watts = |second: u32| draw.iter().rev().find(|step| step.0.0 <= second).map_or(0, |step| step.1.0);
    [&grid.price, &grid.carbon].map(|signal| {
        let signal = signal.as_ref().unwrap();
        let seconds = window.start.0..window.end.0;
        let sum: i128 =
            seconds.map(|second| i128::from(watts(second)) * i128::from(signal.at(Time(second)))).sum();
        i64::try_from((2 * sum + JOULES_A_MWH).div_euclid(2 * JOULES_A_MWH)).unwrap()
    })
}

#[test]
fn a_bill_is_the_sum_over_every_second() {
    let stream = Stream::new(5, Purpose::Sampling);
    let rule = Rule { value: -9 * DOLLAR, hours: 0b1010_1010, days: Weekdays::ALL, months: Months::ALL };
    let carbon = Calendar { zone: Zone::utc(1_679_788_800), rules: vec![rule], base: 369_000 };
    for case in 0..20 {
        let below = |draw, bound| stream.below(case, draw, bound);
        let values = (0..9).map(|n| (i64::from(below(n, 200_000)) - 50_000) * 1000).collect();
        let series = Series {
            offset: u64::from(below(20, 5000)),
            step: Seconds(600 + below(21, 900)),
            values,
            repeats: case % 2 == 0,
        };
        let grid = Grid {
            price: Some(Signal::Series(series)),
            carbon: Some(Signal::Calendar(carbon.clone())),
            ..Grid::default()
        };
        let step = |n: u32| {
            let draws = n * 2 + 30;
            (Time(n * 1000 + below(draws, 999)), Watts(u64::from(below(draws + 1, 9_000_000))))
        };
        let draw: Steps = (0..12).map(step).collect();
        // All of it, and a part.
        let windows = [(0, 13_000), (below(60, 6000), 6000 + below(61, 7000))];
        let [all, part] = windows.map(|(from, to)| Time(from)..Time(to));
        let bill = bill(&grid, &draw, all.clone());
        assert_eq!([bill.energy.0, bill.carbon], by_second(&grid, &draw, &all), "case {case}");
        let within = super::bill(&grid, &draw, part.clone());
        assert_eq!([within.energy.0, within.carbon], by_second(&grid, &draw, &part), "case {case}: {part:?}");
        let mut planted = draw.clone();
        planted[5].0.0 += 1;
        assert_ne!(
            bill.energy.0,
            by_second(&grid, &planted, &all)[0],
            "case {case}: a step a second late is told"
        );
    }
}
