// As many queens on a chessboard of any size as it has rows, of which none can take another one.
import { Space } from '../fd.js';

export const queens = (size, strategy = 'ff') => {
  const space = new Space();
  // Where the queen of each row stands.
  const columns = space.variables(size, 0, size - 1);
  space.distinct(columns);
  space.distinct(
    columns,
    columns.map((_, row) => row),
  );
  space.distinct(
    columns,
    columns.map((_, row) => -row),
  );
  space.distribute(strategy, columns);
  space.root = columns;
  return space;
};
