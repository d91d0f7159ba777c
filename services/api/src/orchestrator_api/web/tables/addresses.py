"""Where the pages about tables and buckets are."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, Address
from orchestrator_api.web.tables import actions, listing, page

BUCKET = f"{PROJECT}/buckets/{{bucket}}"

PAGES = (
    Address("tables", f"{PROJECT}/tables", listing.tables, READ),
    Address("table", f"{PROJECT}/tables/{{table}}", page.table, READ),
    Address("bucket", BUCKET, page.bucket, READ),
    Address("share_bucket", f"{BUCKET}/shares/new", actions.share, BOTH),
    Address("unshare_bucket", f"{BUCKET}/shares/{{shared_with}}/end", actions.unshare, BOTH),
)
