#!/usr/bin/env python3
"""Turns the USGS GeoJSON of the npm package `vega-datasets` into flat NDJSON documents.

    npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz
    ./convert.py package/data/earthquakes.json > earthquakes.ndjson

One line a record, in the order of the source. A field that the source leaves null is left out,
so that `{"felt": {"$exists": true}}` has something to say.
"""

import json
import sys
from datetime import datetime, timezone


def iso(milliseconds):
    """Milliseconds since 1970 as RFC 3339 in UTC."""
    when = datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def flatten(feature):
    """One GeoJSON feature as one flat document."""
    source = feature["properties"]
    longitude, latitude, depth = feature["geometry"]["coordinates"]
    document = {
        "type": source["type"],
        "id": feature["id"],
        "magnitude": source["mag"],
        "magnitude_type": source["magType"],
        "place": source["place"],
        "time": iso(source["time"]),
        "longitude": longitude,
        "latitude": latitude,
        "depth_km": depth,
        "tsunami": source["tsunami"],
        "significance": source["sig"],
        "network": source["net"],
        "stations": source["nst"],
        "felt": source["felt"],
        "alert": source["alert"],
        "status": source["status"],
    }
    return {name: value for name, value in document.items() if value is not None}


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} earthquakes.json > earthquakes.ndjson")
    with open(sys.argv[1], encoding="utf-8") as file:
        features = json.load(file)["features"]
    for feature in features:
        print(json.dumps(flatten(feature), ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
