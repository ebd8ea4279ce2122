/** Control and format characters, every blank but the plain one, and what is drawn as nothing. */
const unseen = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;

/** Whether a text holds what people who approve it could not see: a line break, a NUL, text that runs backwards. */
export function holdsUnseen(text: string): boolean {
  return unseen.test(text.replaceAll(' ', ''));
}

/** How it is told of in a fleet file. */
export const unseenProblem = {
  problem: 'holds a character that cannot be seen, so nobody could tell what they approve',
  cure: 'Write it with characters that can be seen, and plain blanks',
};
