"""Becomes a program inside a network of the lab: `enter.py LINK_PID NET_FD USER_FD|- PARENT_PID NICE PROGRAM ARGUMENT...`.

The program is killed with whoever started it, so a lab that is killed leaves nothing running.
"""

import os
import signal
import sys

import namespaces


def be_nice(nice):
    """Linux weighs sessions against each other first, if it is built to, and only then the processes of one."""
    os.setsid()
    os.nice(nice)
    if os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write(str(nice))


def main():
    link, network, user, parent, nice, *command = sys.argv[1:]
    files = [(network, namespaces.CLONE_NEWNET)]
    if user != "-":
        files.insert(0, (user, namespaces.CLONE_NEWUSER))
    opened = [(os.open(f"/proc/{link}/fd/{fd}", os.O_RDONLY), kind) for fd, kind in files]
    for fd, kind in opened:
        namespaces.set_namespace(fd, kind)
        os.close(fd)
    namespaces.die_with_parent(signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit("the lab has ended")
    if int(nice) != 0:
        be_nice(int(nice))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
