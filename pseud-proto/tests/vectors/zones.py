"""Records zones.json: `python zones.py` prints the lines of one interpreter.

Needs pytz, python-dateutil and pandas. Recorded with CPython 3.11 (dateutil 4.0) and 3.12 (dateutil
2.9). Payloads are what `pickle.HIGHEST_PROTOCOL` gives, as pseud 1.0 sends them.
"""

import datetime as dt
import json
import pickle
import platform
import sys
import types
import zoneinfo

import dateutil
import dateutil.tz as tz
import pandas
import pytz

module = types.ModuleType("shop")
sys.modules["shop"] = module
Sold = type("Sold", (dt.datetime,), {"__module__": "shop"})
Money = type("Money", (), {"__module__": "shop"})
Odd = type("Odd", (dt.tzinfo,), {"__module__": "shop", "utcoffset": lambda self, when: dt.timedelta(0)})
module.Sold, module.Money, module.Odd = Sold, Money, Odd

wall = dt.datetime(2018, 10, 28, 2, 30, 15, 7)
paris = zoneinfo.ZoneInfo("Europe/Paris")
in_zones = {
    "zoneinfo": paris,
    "zoneinfo_not_cached": zoneinfo.ZoneInfo.no_cache("America/Argentina/Buenos_Aires"),
    "zoneinfo_utc": zoneinfo.ZoneInfo("UTC"),
    "pytz_utc": pytz.utc,
    "pytz_static": pytz.timezone("Etc/GMT+5"),
    "pytz_fixed": pytz.FixedOffset(-90),
    "dateutil_utc": tz.tzutc(),
    "dateutil_offset": tz.tzoffset("X", 3600),
    "dateutil_offset_unnamed": tz.tzoffset(None, -5400),
    "dateutil_file": tz.gettz("Europe/Paris"),
    "dateutil_local": tz.tzlocal(),
    "dateutil_rule": tz.tzstr("EST5EDT"),
    "own_tzinfo": Odd(),
}
values = {name: wall.replace(tzinfo=zone) for name, zone in in_zones.items()}
values["zoneinfo_fold"] = wall.replace(tzinfo=paris, fold=1)
for name, is_dst in [("summer", True), ("winter", False)]:
    values["pytz_" + name] = pytz.timezone("Europe/Paris").localize(wall, is_dst=is_dst)
values |= {
    "subclass": Sold(2018, 10, 28, 2, 30, 15, 7),
    "subclass_utc": Sold(2018, 10, 28, 2, 30, 15, 7, dt.timezone.utc),
    "subclass_zoneinfo": Sold(2018, 10, 28, 2, 30, 15, 7, paris),
    "pandas_naive": pandas.Timestamp("2018-10-28 02:30:15.000007"),
    "pandas_nanoseconds": pandas.Timestamp("1969-10-28 02:30:15.000007999"),
    "pandas_seconds": pandas.Timestamp("2018-10-28 02:30:15").as_unit("s"),
    "pandas_offset": pandas.Timestamp("2018-10-28 02:30:15.000007+02:00"),
    "pandas_zoneinfo": pandas.Timestamp("2018-10-28 02:30:15.000007", tz="UTC").tz_convert(paris),
    "pandas_pytz": pandas.Timestamp("2018-07-28 02:30:15.000007", tz=pytz.timezone("Europe/Paris")),
}
for name, zone in in_zones.items():
    values["tz_" + name] = zone
values["money"] = Money()

about = f"{platform.python_version()}, dateutil {dateutil.__version__}, pandas {pandas.__version__}"
for name, value in values.items():
    line = {"name": name, "python": about, "code": 125 if isinstance(value, dt.datetime) else 123}
    if isinstance(value, dt.datetime):
        line |= {"wall": value.replace(tzinfo=None, fold=0).isoformat()[:26], "fold": value.fold}
        if value.tzinfo is not None:
            line["offset"] = value.utcoffset().total_seconds()
    line["hex"] = pickle.dumps(value, pickle.HIGHEST_PROTOCOL).hex()
    print(json.dumps(line))
