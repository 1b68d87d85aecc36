"""Staging by the settings: where a location's bytes and a key's secret come from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from genoferry.aws.clients import sync_client
from genoferry.contracts.sources import FileKey, Key, KeyServiceKey, Location, SecretsManagerKey
from genoferry.errors import SourceNotAllowed
from genoferry.handlers.protocol import PlannedInput
from genoferry.ledger.row import FileState
from genoferry.settings import Settings
from genoferry.staging.allowlist import AllowList, check_bucket, check_file, check_path, check_secret, check_url
from genoferry.staging.copy import copy
from genoferry.staging.file import FileSource
from genoferry.staging.http_client import Web
from genoferry.staging.https import HttpsSource
from genoferry.staging.keys import KeyFiles, KeyService, SecretsManagerKeys
from genoferry.staging.oauth import ClientCredentials
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.s3 import S3Source
from genoferry.staging.source import Source
from genoferry.staging.transfer import UploadBegun, stage
from genoferry.staging.upload import Destination
from genoferry.worker.context import Staged


@dataclass
class RealStager:
    """See `Stager`. Clients and connections are made when they are first needed, and kept."""

    settings: Settings
    _webs: list[Web] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises `SettingsError`: a worker with a bad allow-list must not start, and refuse good requests."""
        self._allow  # noqa: B018  # made here

    def check(self, item: PlannedInput) -> None:
        self._check_location(item.location)
        if item.key is not None:
            self._check_key(item.key)

    def stage(
        self,
        item: PlannedInput,
        key: str,
        known: FileState,
        *,
        on_state: Callable[[FileState], None],
        on_progress: Callable[[int], None],
        stop: threading.Event,
    ) -> Staged:
        self.check(item)
        source = self.source(item.location)
        dest = Destination(self.settings.work_bucket, key)
        if item.key is None:
            return Staged(*copy(source, item.location.path, dest, s3=self._s3, stop=stop, on_progress=on_progress))

        def begun(upload: UploadBegun) -> None:
            on_state(FileState(upload_id=upload.upload_id, source_etag=upload.source_etag))

        with self.private_key(item.key) as private_key:
            done = stage(
                source,
                item.location.path,
                dest,
                private_key,
                s3=self._s3,
                expect_size=item.size,
                upload_id=known.upload_id,
                etag=known.source_etag,
                on_upload=begun,
                on_progress=lambda bytes_done, _total: on_progress(bytes_done),
                stop=stop,
                parts_in_flight=self.settings.staging.parts_in_flight,
                part_size=self.settings.staging.part_size,
            )
        return Staged(etag=done.etag, size=done.size)

    def source(self, location: Location) -> Source:
        """Raises `SourceNotAllowed`."""
        match location.type:
            case "globus":
                return self._globus
            case "https":
                return HttpsSource(location.base, self._web)
            case "s3":
                return S3Source(self._s3, location.base, "", self._allow.buckets)
            case "file":
                return FileSource(location.base, self._allow.file_roots)

    def private_key(self, key: Key) -> PrivateKey:
        """Fetched at each use, kept nowhere. Raises `KeyUnavailable`, `KeyMissing`, `KeyDenied`, `KeyMalformed`."""
        match key:
            case KeyServiceKey():
                return self._key_service.private_key(key.secret_id, key.version)
            case SecretsManagerKey():
                return self._secrets.private_key(key.secret_id, key.version_id)
            case FileKey():
                return KeyFiles(self._allow.key_roots).private_key(key.path, key.passphrase_file)

    def _check_location(self, location: Location) -> None:
        check_path(location.path)
        match location.type:
            case "globus":
                self._globus  # noqa: B018  # raises where there is none
            case "https":
                check_url(f"{location.base}/{quote(location.path, safe='/')}", self._allow.hosts)  # as it is fetched
            case "s3":
                check_bucket(location.base, self._allow.buckets)
            case "file":
                check_file(Path(location.base) / location.path, self._allow.file_roots)

    def _check_key(self, key: Key) -> None:
        match key:
            case KeyServiceKey():
                self._key_service  # noqa: B018  # raises where there is none
            case SecretsManagerKey():
                check_secret(key.secret_id, self._allow.secret_prefixes)
            case FileKey():
                for path in filter(None, (key.path, key.passphrase_file)):
                    check_file(Path(path), self._allow.key_roots)

    def close(self) -> None:
        """Close idle connections."""
        for web in self._webs:
            web.close()

    def _new_web(self, hosts: tuple[str, ...]) -> Web:
        self._webs.append(Web(hosts))
        return self._webs[-1]

    @cached_property
    def _allow(self) -> AllowList:
        return AllowList(**self.settings.allow.model_dump())

    @cached_property
    def _s3(self) -> Any:
        return sync_client("s3")

    @cached_property
    def _secrets(self) -> SecretsManagerKeys:
        return SecretsManagerKeys(sync_client("secretsmanager"), self._allow.secret_prefixes)

    @cached_property
    def _web(self) -> Web:
        return self._new_web(self._allow.hosts)

    @cached_property
    def _globus(self) -> HttpsSource:
        globus = self.settings.globus
        if globus.base_url is None:
            raise SourceNotAllowed("This deployment has no Globus collection (GENOFERRY_GLOBUS_BASE_URL).")
        tokens = None
        if globus.token_url and globus.client_id and globus.client_secret:
            tokens = ClientCredentials(
                self._new_web((urlsplit(globus.token_url).netloc,)),
                globus.token_url,
                client_id=globus.client_id,
                client_secret=globus.client_secret.get_secret_value(),
                scope=globus.scope,
            )
        return HttpsSource(globus.base_url, self._new_web((urlsplit(globus.base_url).netloc,)), tokens)

    @cached_property
    def _key_service(self) -> KeyService:
        service = self.settings.key_service
        if not (service.url and service.username and service.password and service.wrapping_password):
            raise SourceNotAllowed("This deployment has no key service (GENOFERRY_KEY_SERVICE_URL and its passwords).")
        return KeyService(
            self._new_web((urlsplit(service.url).netloc,)),
            service.url,
            service.username,
            service.password.get_secret_value(),
            service.wrapping_password.get_secret_value(),
        )
