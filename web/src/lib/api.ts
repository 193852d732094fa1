/** Asking the server: JSON in and out, one clear line when something is wrong. */

import type { Id, Wrong } from './types';

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number, // 0: the server did not answer
  ) {
    super(message);
  }
}

const SILENT = 'The studio does not answer. Is gramarye serve still running? Start it again, and open the address that it prints.';

/** Whatever was caught, as one line to show. */
export function inWords(caught: unknown): string {
  return caught instanceof Error ? caught.message : String(caught);
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => ask<T>(path, signal ? { signal } : {});

export const post = <T>(path: string, body: unknown): Promise<T> =>
  ask<T>(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

export const remove = (path: string): Promise<void> => ask<void>(path, { method: 'DELETE' });

async function ask<T>(path: string, how: RequestInit): Promise<T> {
  const text = await (await answered(path, how)).text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** An answer as it comes; one that says what is wrong is thrown as an ApiError. */
export async function answered(path: string, how: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, how);
  } catch (caught) {
    if (caught instanceof DOMException && caught.name === 'AbortError') throw caught;
    throw new ApiError(SILENT, 0);
  }
  if (!answer.ok) throw new ApiError(wrong(await answer.text(), answer.status), answer.status);
  return answer;
}

function wrong(text: string, status: number): string {
  try {
    const { error } = JSON.parse(text) as Wrong;
    return error.charAt(0).toUpperCase() + error.slice(1);
  } catch {
    return `The studio answered with status ${status}. Try again.`;
  }
}

/** Bring a file to a place; `progress` hears the share sent, 0 … 1. (fetch cannot tell how far it is.) */
export function upload<T>(path: string, file: Blob, name: string, progress?: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('X-File-Name', encodeURIComponent(name)); // headers hold no letters beyond Latin
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    request.upload.onprogress = (event) => progress?.(event.total ? event.loaded / event.total : 0);
    request.onerror = () => reject(new ApiError(SILENT, 0));
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText) as T);
      else reject(new ApiError(wrong(request.responseText, request.status), request.status));
    };
    request.send(file);
  });
}

export const pictureUrl = (id: Id, side: 160 | 512 | 1024): string => `/api/pictures/${id}/${side}.webp`;

export const frameUrl = (run: Id, index: number): string => `/api/runs/${run}/frames/${index}.webp`;
