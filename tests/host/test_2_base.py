"""The machine itself, looked at from outside Ansible."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from testinfra.host import Host

from tests.host.conftest import Converged
from tests.support.until import until


@pytest.mark.requirement("HOST-LOGIN")
def test_only_keys_open_the_door_and_not_roots(host: Host) -> None:
    said = host.check_output("sshd -T")
    wanted = {
        "permitrootlogin no", "passwordauthentication no", "kbdinteractiveauthentication no", "x11forwarding no",
        "authenticationmethods publickey", "permitemptypasswords no", "allowagentforwarding no",
    }  # fmt: skip
    assert wanted <= set(said.splitlines())
    assert "sha1" not in said.split("macs ", 1)[1].split("\n", 1)[0]
    assert "cbc" not in said.split("ciphers ", 1)[1].split("\n", 1)[0]


@pytest.mark.requirement("HOST-LOGIN")
def test_the_administrator_has_a_key_no_password_and_sudo(host: Host, converged: Converged) -> None:
    ada = host.user("ada")
    assert "sudo" in ada.groups
    assert ada.password.startswith("!")
    keys = host.file("/home/ada/.ssh/authorized_keys")
    assert (keys.mode, keys.user, keys.content_string.strip()) == (0o600, "ada", converged.playbook.public_key)
    assert host.file("/etc/sudoers.d/60-secure-mcp").mode == 0o440
    assert host.check_output("runuser -u ada -- sudo -n id -u") == "0"


@pytest.mark.requirement("HOST-FIREWALL")
def test_three_ports_are_open_and_no_other(converged: Converged) -> None:

    def is_open(port: int) -> bool:
        with socket.socket() as plain:
            plain.settimeout(2)
            return plain.connect_ex((converged.machine.address, port)) == 0

    converged.machine.shell("systemd-run --unit=test-open python3 -m http.server --bind 0.0.0.0 8099")
    until(lambda: ":8099" in converged.machine.shell("ss -tln"), 20, "a forgotten server listens")
    try:
        ports = [*range(1, 1025), 2375, 2376, 5432, 6379, 8000, 8080, 8081, 8099, 9000, 9100, 9443]
        with ThreadPoolExecutor(200) as pool:
            found = [port for port, answered in zip(ports, pool.map(is_open, ports), strict=True) if answered]
    finally:
        converged.machine.shell("systemctl stop test-open")
    assert found == [22, 80, 443]


@pytest.mark.requirement("HOST-FIREWALL")
def test_rules_stay_when_the_firewall_is_loaded_again(host: Host) -> None:
    host.check_output("systemctl reload nftables")
    tables = host.check_output("nft list tables")
    assert "table inet secure_mcp" in tables
    assert "table ip nat" in tables, "Docker's rules are gone"
    assert host.service("nftables").is_enabled


@pytest.mark.requirement("HOST-LOGIN")
def test_failed_logins_are_banned(host: Host) -> None:
    assert host.service("fail2ban").is_running
    assert "sshd" in host.check_output("fail2ban-client status")
    host.check_output("fail2ban-client set sshd banip 203.0.113.77")
    try:
        assert "203.0.113.77" in host.check_output("nft list ruleset")
    finally:
        host.check_output("fail2ban-client set sshd unbanip 203.0.113.77")


@pytest.mark.requirement("HOST-UPDATES")
def test_security_updates_come_by_themselves(host: Host) -> None:
    said = host.check_output("apt-config dump")
    assert 'APT::Periodic::Unattended-Upgrade "1";' in said
    assert 'Unattended-Upgrade::Automatic-Reboot-Time "04:30";' in said
    assert host.service("unattended-upgrades").is_running
    assert "Allowed origins are:" in host.check_output("unattended-upgrade --dry-run --debug 2>&1 | head -40")


@pytest.mark.requirement("HOST-KERNEL")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("net.ipv4.conf.all.accept_redirects", 0),
        ("net.ipv4.conf.all.send_redirects", 0),
        ("net.ipv4.conf.all.accept_source_route", 0),
        ("net.ipv4.conf.all.rp_filter", 2),
        ("net.ipv4.tcp_syncookies", 1),
        ("net.core.somaxconn", 4096),
    ],
)
def test_settings_of_the_kernel_hold(host: Host, key: str, value: int) -> None:
    assert host.sysctl(key) == value


@pytest.mark.requirement("HOST-KERNEL")
def test_the_journal_is_kept_and_bounded(host: Host) -> None:
    assert host.file("/var/log/journal").is_directory
    assert "SystemMaxUse=1G" in host.check_output("systemd-analyze cat-config systemd/journald.conf")
    assert host.service("systemd-timesyncd").is_enabled


@pytest.mark.requirement("HOST-ALARM")
def test_a_unit_that_fails_is_told_in_the_journal(host: Host) -> None:
    host.check_output("systemd-run --unit=test-fails --property=OnFailure=secure-mcp-alarm@test-fails.service false")
    until(
        lambda: "test-fails failed on" in host.check_output("journalctl --priority=crit --output=cat --no-pager"),
        20,
        "the alarm is in the journal",
    )
    host.check_output("systemctl reset-failed test-fails")
