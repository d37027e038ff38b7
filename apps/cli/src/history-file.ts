export const recordTo: any = undefined, openHistoryFile: any = undefined, recordBranch: any = undefined, diffHistoryFiles: any = undefined;
