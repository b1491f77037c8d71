#!/usr/bin/env bash
# MariaDB with Galera: INSERT … RETURNING answers rows that do not exist, when another node's write undoes the statement
# half-way and the node repeats it by itself (wsrep_retry_autocommit, on by default).
# Expected: the rows that were inserted, as RETURNING promises: three rows in, three rows out, with the ids they have.
# Seen: four rows. The first is that of the try which was undone; its id belongs to nothing. With
# wsrep_retry_autocommit = 0 the statement fails with error 1213 instead.
# Needs Debian 12 with rsync and the libraries of mariadb-server (libaio1, libnuma1, liburing2).
# Exits 0 while that is so, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
pids=()
stop() {
  [ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null || true
  cd /
  rm -rf "$folder"
}
trap stop EXIT
cd "$folder"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download 'mariadb-server=1:10.11*' 'mariadb-server-core=1:10.11*' \
  'mariadb-client-core=1:10.11*' 'galera-4=26.4*'
for package in *.deb; do dpkg-deb -x "$package" root; done
usr=$folder/root/usr
export PATH="$usr/bin:$usr/sbin:$PATH"
as_root=$([ "$(id -u)" -ne 0 ] || echo --user=root)

# node NAME: the options of a node, whose four ports follow from its number.
node() {
  local number=$1 base=$((21000 + $1 * 10))
  echo --no-defaults $as_root "--basedir=$usr" "--lc-messages-dir=$usr/share/mysql" "--character-sets-dir=$usr/share/mysql/charsets" \
    "--datadir=$folder/data$number" "--tmpdir=$folder" "--socket=$folder/$number.sock" "--pid-file=$folder/$number.pid" \
    --skip-networking=0 --bind-address=127.0.0.1 "--port=$base" --skip-grant-tables --wsrep-on=ON \
    "--wsrep-provider=$folder/root/usr/lib/galera/libgalera_smm.so" --wsrep-cluster-name=finding \
    "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:$((base + 1));ist.recv_addr=127.0.0.1:$((base + 2))" \
    "--wsrep-node-address=127.0.0.1:$((base + 1))" "--wsrep-sst-receive-address=127.0.0.1:$((base + 3))" --binlog-format=ROW --innodb-autoinc-lock-mode=2
}
start() { # start NUMBER ADDRESS
  mariadbd $(node "$1") "--wsrep-cluster-address=$2" >>"$folder/$1.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 300); do
    [ "$(ask "$1" "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'wsrep_ready'" 2>/dev/null)" = ON ] && return
    sleep 0.2
  done
  tail -20 "$folder/$1.log"
  exit 2
}
ask() { mariadb --no-defaults -N -B -S "$folder/$1.sock" -e "$2"; }

mariadb-install-db --no-defaults $as_root "--basedir=$usr" "--datadir=$folder/data1" --skip-test-db >/dev/null 2>&1
chmod -R a+rwX data1
start 1 gcomm://
ask 1 "CREATE DATABASE d; USE d;
  CREATE TABLE parent (id INT PRIMARY KEY, v INT) ENGINE=InnoDB;
  CREATE TABLE child (id BIGINT AUTO_INCREMENT PRIMARY KEY, name CHAR(1), parent INT, FOREIGN KEY (parent) REFERENCES parent (id)) ENGINE=InnoDB;
  CREATE TRIGGER slow BEFORE INSERT ON child FOR EACH ROW DO SLEEP(1);
  INSERT INTO parent VALUES (1, 0);"
# The second node gets its data from rsync, which, started by root, writes as nobody.
mkdir data2
chmod 777 data2
start 2 gcomm://127.0.0.1:21011
ask 1 "SELECT VERSION()"
ask 1 "SHOW STATUS LIKE 'wsrep_provider_version'"
ask 1 "SHOW STATUS LIKE 'wsrep_cluster_size'"

insert() { # insert RETRY: three rows, while the other node changes the row they refer to
  ask 1 "SET SESSION wsrep_retry_autocommit = $1; INSERT INTO d.child (name, parent) VALUES ('a', 1), ('b', 1), ('c', 1) RETURNING id, name" 2>&1 &
  local inserting=$!
  sleep 1.5
  ask 2 "UPDATE d.parent SET v = v + 1"
  wait "$inserting" || true
}
answered=$(insert 1)
stored=$(ask 1 "SELECT id, name FROM d.child ORDER BY id")
echo "answered:"; echo "$answered"
echo "stored:"; echo "$stored"
refused=$(insert 0)
echo "without the repetition: $refused"

[ "$(wc -l <<<"$answered")" = 4 ] || exit 1
[ "$(wc -l <<<"$stored")" = 3 ] || exit 1
[ "$(tail -n 3 <<<"$answered")" = "$stored" ] || exit 1
grep -q "ERROR 1213" <<<"$refused" || exit 1
