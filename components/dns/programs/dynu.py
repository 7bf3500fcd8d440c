"""Dynu's REST API, version 2, as far as dynamic DNS needs it (https://www.dynu.com/Support/API)."""

import json
import re
import urllib.error
import urllib.request

TIMEOUT = 30
LARGEST_ANSWER = 1 << 20

# Fields of a domain that an update takes; one that it does not name would be reset.
DOMAIN_FIELDS = (
    "name", "group", "ipv4Address", "ipv6Address", "ttl", "ipv4", "ipv6",
    "ipv4WildcardAlias", "ipv6WildcardAlias", "allowZoneTransfer", "dnssec",
)


class Fault(Exception):
    """What went wrong, in one line for the log; holds no key."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key goes where it was meant to go, and nowhere else."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())


def fetch(request):
    """Status and body of an answer, whatever the status."""
    try:
        with OPENER.open(request, timeout=TIMEOUT) as answer:
            return answer.status, answer.read(LARGEST_ANSWER)
    except urllib.error.HTTPError as error:
        return error.code, error.read(LARGEST_ANSWER)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Fault(f"{request.full_url} does not answer: {reason}") from None


class Api:
    """One account at Dynu."""

    def __init__(self, url, key):
        # What cannot stand in a header would come back in the words of an error.
        if not re.fullmatch(r"[\x21-\x7e]+", key):
            raise Fault("the API key has a line break, a blank or another sign that no key has: set hearth:secrets.dynu.apiKey")
        self.url, self.key = url, key

    def ask(self, path, body=None):
        """The answer to a request; Fault with Dynu's own words for anything but success."""
        headers = {"API-Key": self.key, "Accept": "application/json", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        status, text = fetch(request)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        if not isinstance(answer, dict):
            answer = {}
        said = f"{answer.get('type', 'no reason')}: {answer.get('message', '')}".rstrip(": ")
        if status == 401:
            raise Fault(f"Dynu refuses the API key ({said}): set hearth:secrets.dynu.apiKey and run pulumi up")
        # Its status is in the body too, and the two have differed.
        if status != 200 or answer.get("statusCode", 200) != 200:
            raise Fault(f"Dynu answers {path} with {answer.get('statusCode', status)} ({said})")
        return answer

    def root(self, name):
        """Domain that a name is in: its ID, and the name below it (empty: the domain itself)."""
        answer = self.ask(f"/dns/getroot/{name}")
        domain = str(answer.get("domainName", ""))
        if name != domain and not name.endswith(f".{domain}"):
            raise Fault(f"{name} is in no domain of this account at Dynu")
        return answer["id"], name[: -len(domain)].rstrip(".")

    def domain(self, identifier):
        return self.ask(f"/dns/{identifier}")

    def update_domain(self, identifier, domain, **changes):
        kept = {field: domain[field] for field in DOMAIN_FIELDS if field in domain}
        self.ask(f"/dns/{identifier}", {**kept, **changes})

    def records(self, identifier):
        return self.ask(f"/dns/{identifier}/record").get("dnsRecords", [])

    def write_record(self, identifier, record, **fields):
        """Changes a record, or makes one where `record` is None."""
        path = f"/dns/{identifier}/record" + ("" if record is None else f"/{record['id']}")
        self.ask(path, fields)
