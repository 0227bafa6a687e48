# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Certificates as a Proxmox VE cluster makes them, with the library that ansible-core brings along.

As those of a cluster that began with an older version, they lack extensions that RFC 5280 asks for, and that Python from
3.13 on asks for as well unless it is told not to (``ssl.VERIFY_X509_STRICT``).
"""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates. ``ca`` is the file that a client has to trust, all files are in ``folder``."""

    def __init__(self, folder: Path, name: str = "Proxmox Virtual Environment") -> None:
        self.folder = folder
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), _name(name)
        certificate = (
            self._builder(self.name, self.key, 10 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.ca = folder / f"{name.replace(' ', '-').lower()}.pem"
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def certificate(self, address: str = "127.0.0.1", lasts: datetime.timedelta = DAY) -> Path:
        """A file with a key and a certificate for this address; a life that ended long ago (``-DAY``) makes it expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName("node.example"), x509.IPAddress(ipaddress.ip_address(address))]
        certificate = (
            self._builder(_name("node.example"), key, lasts)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
            .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / f"{address}{'-expired' if lasts < DAY else ''}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return path

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: datetime.timedelta):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 10 * DAY)
            .not_valid_after(now + lasts)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
