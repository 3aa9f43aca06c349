# tries: to write on the terminal that the organiser works at
# must: find none
# verdict: ok
import sys

try:
    with open("/dev/tty", "w") as terminal:
        terminal.write("ESCAPED terminal\n")
    sys.stderr.write("ESCAPED wrote to the terminal\n")
except OSError as error:
    sys.stderr.write(f"BLOCKED {error}\n")
with open(f"{sys.argv[2]}/ranking.txt", "w") as file:
    file.writelines(f"{row}\n" for row in range(300))
