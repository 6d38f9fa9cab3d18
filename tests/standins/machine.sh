#!/bin/sh
# machine.sh FOLDER NAME   (root; Linux)
#
# The first process of a rented machine: machine.py starts it in mount, pid, network, IPC and UTS
# namespaces of their own. FOLDER/disk is the machine's file tree and stays when it stops; /usr is
# this machine's, read-only, with FOLDER/bin before it; /run and /dev/shm are new at each start.
# What runs in the end is FOLDER/disk/etc/init, which machine.py wrote.
set -eu
folder=$1 name=$2
disk=$folder/disk

cd "$disk"
mkdir -p usr dev proc run tmp var/tmp var/log var/empty opt mnt etc/ssh root .local-bin
chmod 1777 tmp var/tmp
[ -L var/run ] || ln -s /run var/run
for link in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$link" ]; then
    [ -L "$link" ] || ln -s "$(readlink "/$link")" "$link"
  elif [ -d "/$link" ]; then
    mkdir -p "$link"
    mount --rbind "/$link" "$link"
  fi
done

# What programs need, and nothing that is private to this machine.
for entry in alternatives bash.bashrc debian_version fish inputrc ld.so.cache ld.so.conf ld.so.conf.d \
  localtime mkshrc nsswitch.conf os-release profile protocols python3 services shells ssl terminfo zsh; do
  [ ! -e "/etc/$entry" ] || [ -e "etc/$entry" ] || cp -a "/etc/$entry" etc/
done
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >etc/hosts
echo "$name" >etc/hostname
echo "$name" >/proc/sys/kernel/hostname
for type in ed25519 ecdsa; do
  key=etc/ssh/ssh_host_${type}_key
  [ -e "$key" ] || ssh-keygen -q -t "$type" -N '' -C "root@$name" -f "$key"
done

mount --rbind /usr usr
mount -o remount,bind,ro usr
# A bind mount of its own for what FOLDER/bin stands before.
mount --bind /usr/local/bin .local-bin
for program in .local-bin/*; do
  [ -e "$folder/bin/${program#.local-bin/}" ] || ln -sf "/$program" "$folder/bin/"
done
mount --bind "$folder/bin" usr/local/bin

mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/sshd
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
# As Docker gives it.
mount -t tmpfs -o mode=1777,size=64m tmpfs dev/shm
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

cd /
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
  chroot "$disk" /bin/sh /etc/init
