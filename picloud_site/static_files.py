"""Static files under names that change with what is in them, so that browsers may keep them for ever."""

from typing import ClassVar

from whitenoise.storage import CompressedManifestStaticFilesStorage

# import { follow } from "./stream.js";
_IMPORT = r"""(?P<matched>import (?P<names>\{[^}]*\}) from "(?P<url>\./[^"]+)";)"""


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Our scripts import one another by those names as well; Django could do so for all, and stumbles over others'."""

    patterns: ClassVar = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((_IMPORT, 'import %(names)s from "%(url)s";'),)),
    )
