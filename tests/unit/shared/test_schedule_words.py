"""Words for cron expressions and intervals: short, and true of the values that they stand for."""

import pytest

from orchestrator_shared.domain.cron import Cron, Every
from orchestrator_shared.domain.schedule_words import in_words

CRON = {
    "30 2 * * *": "Every day at 02:30",
    "0 0 * * *": "Every day at 00:00",
    "0 6,18 * * 1-5": "Mondays to Fridays at 06:00 and 18:00",
    "0 6,12,18 * * *": "Every day at 06:00, 12:00 and 18:00",
    "30 5 * * mon": "Mondays at 05:30",
    "0 6 * * 0": "Sundays at 06:00",
    "0 6 * * 7": "Sundays at 06:00",
    "0 6 * * 6,0": "Saturdays and Sundays at 06:00",
    "0 6 * * 5-7": "Fridays to Sundays at 06:00",
    "0 6 * * 1,3,5": "Mondays, Wednesdays and Fridays at 06:00",
    "15 6 * * 1-6": "Mondays to Saturdays at 06:15",
    "15 6 * * 1,2,4-7": "Mondays, Tuesdays and Thursdays to Sundays at 06:15",
    "* * * * *": "Every minute",
    "*/1 * * * *": "Every minute",
    "*/15 * * * *": "Every 15 minutes",
    "0,15,30,45 * * * *": "Every 15 minutes",
    "5-59/15 * * * *": "Every 15 minutes from :05",
    "*/30 * * * *": "Every 30 minutes",
    "0 * * * *": "Every hour",
    "5 * * * *": "Every hour at :05",
    "*/45 * * * *": "Every hour at :00 and :45",
    "*/7 * * * *": "Every 7 minutes from :00 to :56 of each hour",
    "0-20 * * * *": "Every minute from :00 to :20 of each hour",
    "0,10,25 * * * *": "Every hour at :00, :10 and :25",
    "*/30 2 * * *": "Every day at 02:00 and 02:30",
    "0,30 9,17 * * *": "Every day at 09:00, 09:30, 17:00 and 17:30",
    "*/15 6 * * *": "Every 15 minutes from 06:00 to 06:45",
    "*/10 6,18 * * *": "Every 10 minutes from 06:00 to 06:50 and from 18:00 to 18:50",
    "*/15 9-17 * * 1-5": "Every 15 minutes from 09:00 to 17:45, Mondays to Fridays",
    "* 9-17 * * *": "Every minute from 09:00 to 17:59",
    "5,20 9-17 * * *": "Every hour at :05 and :20, from 09:05 to 17:20",
    "0 */2 * * *": "Every 2 hours",
    "30 */2 * * *": "Every 2 hours from 00:30",
    "30 1-23/2 * * *": "Every 2 hours from 01:30",
    "0 */6 * * *": "Every 6 hours",
    "0 */5 * * *": "Every day at 00:00, 05:00, 10:00, 15:00 and 20:00",
    "0 */12 * * *": "Every day at 00:00 and 12:00",
    "0 9-17 * * 1-5": "Every hour from 09:00 to 17:00, Mondays to Fridays",
    "0 8-20/2 * * *": "Every 2 hours from 08:00 to 20:00",
    "0 9-11 * * *": "Every day at 09:00, 10:00 and 11:00",
    "0 1,3,6,9,13,19,23 * * *": "Every day at 01:00, 03:00, 06:00, 09:00, 13:00, 19:00 and 23:00",
    "0 6 1 * *": "On the 1st of every month at 06:00",
    "0 6 1,15 * *": "On the 1st and 15th of every month at 06:00",
    "0 6 2,3,22 * *": "On the 2nd, 3rd and 22nd of every month at 06:00",
    "0 6 11,12,13,21 * *": "On the 11th to 13th and 21st of every month at 06:00",
    "0 6 31 * *": "On the 31st of every month that has one at 06:00",
    "0 6 */2 * *": "On every 2nd day from the 1st to the 31st of every month at 06:00",
    "0 6 1 1,4,7,10 *": "On the 1st of January, April, July and October at 06:00",
    "0 6 24 12 *": "On the 24th of December at 06:00",
    "0 6 29 feb *": "On the 29th of February at 06:00",
    "0 6 * 4-9 *": "Every day from April to September at 06:00",
    "0 6 * 7 1-5": "Mondays to Fridays in July at 06:00",
    "*/15 * * 7,8 *": "Every 15 minutes, every day in July and August",
    "0 * 1 * *": "Every hour, on the 1st of every month",
    "0 6 1 * 1": "On the 1st of every month and on Mondays at 06:00",
    "0 6 1 7 1": "On the 1st of July and on Mondays in July at 06:00",
    "0 6 1-31 * 1": "Every day at 06:00",
    "0 6 */2 * 1": "Mondays that fall on every 2nd day from the 1st to the 31st of every month at 06:00",
    "0 6 1-7 * */1": "On the 1st to 7th of every month at 06:00",
}
EVERY = {
    60: "Every minute",
    90: "Every 1 minute and 30 seconds",
    900: "Every 15 minutes",
    2700: "Every 45 minutes",
    3600: "Every hour",
    5400: "Every 90 minutes",
    7200: "Every 2 hours",
    86_400: "Every 24 hours",
    129_600: "Every 36 hours",
    7 * 86_400: "Every 7 days",
    366 * 86_400: "Every 366 days",
    360_000: "Every 4 days and 4 hours",
    86_400 + 3_661: "Every 1 day, 1 hour, 1 minute and 1 second",
}


@pytest.mark.parametrize(("text", "words"), CRON.items())
def test_a_cron_expression_reads_as_a_phrase(text: str, words: str) -> None:
    assert in_words(Cron.parse(text)) == words


@pytest.mark.parametrize(("seconds", "words"), EVERY.items())
def test_an_interval_reads_as_a_phrase(seconds: int, words: str) -> None:
    assert in_words(Every(seconds)) == words
