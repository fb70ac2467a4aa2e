// Every exception that nothing handles ends here.

#ifndef ARENITE_BOARDS_FAULT_H
#define ARENITE_BOARDS_FAULT_H

void board_fault(void);

#endif // ARENITE_BOARDS_FAULT_H
